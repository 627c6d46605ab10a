"""The passages of a text that mixes languages: a German letter with an English summary, a Spanish note under the header
of an English template. The sentences of each language are taken together and read as a text of its own, so that what
stands around them, in whichever language, changes nothing of how they are read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping

from msgspec import Struct

from mappings.text.document import Document, build
from mappings.text.tokens import Sentence, Words, begins_line, sentences
from mappings.text.vocabulary import Vocabulary

_SURE = 2
"""words of another language more than of the text's own that tell a sentence of it."""
_PARAGRAPH = 2
_BREAK = "\n"


class Passage(Struct, frozen=True):
    """The sentences of a text that are of one language, in their places; the rest is blank."""

    words: Words
    headed: tuple[Vocabulary, ...] = ()
    """the other languages of the text: a heading in one of them holds for what stands under it."""
    opens: int = 0
    """words of the text before the first of these."""


def foreign_words(vocabularies: Mapping[str, Vocabulary], own: str) -> frozenset[str]:
    """Words that tell something in another language and nothing in this one."""
    others = (vocab for code, vocab in vocabularies.items() if code != own)
    told = frozenset[str]().union(*(vocab.stopwords | vocab.starts for vocab in others))
    return told - vocabularies[own].stopwords - vocabularies[own].root.keys()


def passages(
    words: Words, vocabularies: Mapping[str, Vocabulary], own: str, foreign: frozenset[str]
) -> tuple[Passage, ...]:
    """The passages of a text by language; none where the whole of it is of its `own`. `foreign`: `foreign_words`."""
    told = foreign.intersection(words.words)
    if not told:
        return ()
    parts = sentences(words, vocabularies[own].abbreviations)
    spoken = {own} | {
        language
        for sentence in parts
        if not told.isdisjoint(inside := words.words[sentence.first : sentence.last])
        and (language := _other(inside, vocabularies, own))
    }
    if len(spoken) == 1:
        return ()
    documents = [build(words, vocabularies[code]) for code in vocabularies if code in spoken]
    whose = _languages(parts, documents)
    speaking = frozenset[str]().union(*(of for of in whose if len(of) == 1))
    if len(speaking) <= 1:
        return ()
    heads = _headings(parts, documents)
    out = []
    for document in documents:
        code = document.vocab.language
        if code in speaking:
            spoken_in = [i for i, of in enumerate(whose) if code in of or not of & speaking]
            others = tuple(other.vocab for other in documents if other is not document)
            kept = sorted(heads.union(spoken_in))
            out.append(Passage(_only(words, parts, kept), others, parts[spoken_in[0]].first))
    return tuple(out)


def _other(inside: list[str], vocabularies: Mapping[str, Vocabulary], own: str) -> str | None:
    """The language that knows clearly more of a sentence than the text's own, or alone knows what it tells."""
    tokens = [word for word in inside if word[0].isalpha()]
    mine = _known(tokens, vocabularies[own])
    best, most = None, mine
    for code, vocab in vocabularies.items():
        known = _known(tokens, vocab)
        alone = not mine and not vocab.starts.isdisjoint(tokens)
        if known > most and (known >= mine + _SURE or alone):
            best, most = code, known
    return best


def _known(tokens: Iterable[str], vocab: Vocabulary) -> int:
    return sum(1 for word in tokens if word in vocab.stopwords or word in vocab.root)


def _languages(parts: list[Sentence], documents: list[Document]) -> list[frozenset[str]]:
    """The languages of each sentence: the one that knows most of its words. Where several know as many, it is that of
    the sentences before and behind; where these differ, or one of them is missing, nobody can tell, and it is read in
    each. A sentence that none knows goes with the one before."""
    firsts = [sentence.first for sentence in parts]
    known = [[0] * len(parts) for _ in documents]
    for counts, document in zip(known, documents, strict=True):
        for index in document.known_words():
            counts[max(0, bisect_right(firsts, index) - 1)] += 1
    codes = [document.vocab.language for document in documents]
    best = [
        frozenset(code for code, n in zip(codes, counted, strict=True) if n == max(counted))
        for counted in zip(*known, strict=True)
    ]
    silent = [not any(counted) for counted in zip(*known, strict=True)]
    before = _carried(best)
    behind = reversed(_carried(best[::-1]))
    out: list[frozenset[str]] = []
    for found, unknown, one, other in zip(best, silent, before, behind, strict=True):
        if len(found) > 1 and (one == other or unknown):
            out.append(one or other or found)
        else:
            out.append(found)
    return out


def _carried(found: list[frozenset[str]]) -> list[frozenset[str]]:
    """For each sentence the last language before it that was told."""
    out: list[frozenset[str]] = []
    told = frozenset[str]()
    for languages in found:
        told = languages if len(languages) == 1 else told
        out.append(told)
    return out


def _headings(parts: list[Sentence], documents: list[Document]) -> set[int]:
    """Sentences that are the heading of a section alone, by number: they hold for the passages of each language."""
    firsts = [sentence.first for sentence in parts]
    found = set()
    for document in documents:
        for hit in (*document.hits.get("section", ()), *document.hits.get("heading", ())):
            at = max(0, bisect_right(firsts, hit.first) - 1)
            if hit.first == parts[at].first and begins_line(document.words, parts[at]):
                rest = document.words.words[hit.last : parts[at].last]
                if not any(word[0].isalnum() for word in rest):
                    found.add(at)
    return found


def _only(words: Words, parts: list[Sentence], kept: list[int]) -> Words:
    """The words of these sentences, each in its place, and the signs that end them. Where sentences were left out, what
    parted the lines and paragraphs around them parts them still."""
    masked = _Masked(words)
    last = -1
    for number in kept:
        if number == last + 1:
            masked.keep(masked.end, parts[number].last)
        else:
            gaps = range(last + 1, number + 1)
            masked.part(parts[number].first, max(_breaks(words, parts, gap) for gap in gaps), opening=last < 0)
            masked.keep(parts[number].first, parts[number].last)
        follows = parts[number + 1].first if number + 1 < len(parts) else len(words)
        if parts[number].last < follows and words.words[parts[number].last] != _BREAK:
            masked.keep(masked.end, masked.end + 1)
        last = number
    return masked.done()


def _breaks(words: Words, parts: list[Sentence], number: int) -> int:
    """How many line breaks stand before a sentence: two part paragraphs."""
    begin = words.ends[parts[number - 1].last - 1] if number else 0
    return min(_PARAGRAPH, words.text.count(_BREAK, begin, words.starts[parts[number].first]))


class _Masked:
    """A text whose words are all left out but those that are kept."""

    def __init__(self, words: Words) -> None:
        self._words, self.end = words, 0
        """`end`: the index of the word behind the last that was kept."""
        self._text, self._folded = [" "] * len(words.text), [" "] * len(words.text)
        self._kept: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []

    def keep(self, first: int, last: int) -> None:
        """Keeps the words [first, last), and what stands before them where they go on with what was kept."""
        if first >= last:
            return
        words, starts, ends = self._words.words, self._words.starts, self._words.ends
        begin = ends[first - 1] if self._ends and self._ends[-1] == ends[first - 1] else starts[first]
        self._text[begin : ends[last - 1]] = self._words.text[begin : ends[last - 1]]
        self._folded[begin : ends[last - 1]] = self._words.folded[begin : ends[last - 1]]
        self._kept += words[first:last]
        self._starts += starts[first:last]
        self._ends += ends[first:last]
        self.end = last

    def part(self, first: int, breaks: int, *, opening: bool) -> None:
        """Line breaks before the word `first`, in place of what is left out; where that `opens` the text, the word
        begins a line."""
        start = self._words.starts[first]
        begin = start - max(breaks, int(opening))
        self._text[begin:start] = self._folded[begin:start] = _BREAK * (start - begin)
        if not opening:
            self._kept += [_BREAK] * breaks
            self._starts += range(begin, start)
            self._ends += range(begin + 1, start + 1)

    def done(self) -> Words:
        return Words("".join(self._text), "".join(self._folded), self._kept, self._starts, self._ends)
