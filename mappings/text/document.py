"""One text in one language, cut and matched: what all extractors read from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from mappings.text.acronyms import without_other_letters, without_spelled_out
from mappings.text.context import Contexts
from mappings.text.lengths import without_lengths
from mappings.text.reading import Status
from mappings.text.tokens import Sentence, Words, begins_line, sentences
from mappings.text.vocabulary import RELEVANT, Hit, Vocabulary

if TYPE_CHECKING:
    from mappings.text.times import Timed

OPENING = 12
"""words within which a text says of itself that it is another patient's."""
_HEADINGS = ("section", "heading")
_TELLING = RELEVANT | {"place", "side", "unit", "word", "ignored", "trigger", "onset", "section"}


class Document(Struct):
    """A text with its matches by category; positions are indexes of words, sentences half-open spans of them."""

    words: Words
    vocab: Vocabulary
    hits: dict[str, list[Hit]]
    sentences: list[Sentence]
    contexts: Contexts
    _starts: dict[str, list[int]] = field(default_factory=dict)
    _lasts: list[int] = field(default_factory=list)
    times: dict[tuple[int, int], list[Timed]] = field(default_factory=dict)
    """kept by mappings.text.times, which several readers ask about the same sentence."""

    def between(self, category: str, first: int, last: int) -> list[Hit]:
        """Hits of a category that begin in the words [first, last)."""
        found = self.hits.get(category)
        if not found:
            return []
        starts = self._starts.get(category)
        if starts is None:
            starts = self._starts[category] = [hit.first for hit in found]
        low = bisect_left(starts, first)
        return found[low : bisect_left(starts, last, low)] if low < len(starts) and starts[low] < last else []

    def speaking(self, categories: Iterable[str]) -> set[int]:
        """Which sentences, by number, hold a hit of these categories."""
        firsts = [sentence.first for sentence in self.sentences]
        return {bisect_right(firsts, hit.first) - 1 for name in categories for hit in self.hits.get(name, ())}

    def within(self, category: str, sentence: Sentence) -> list[Hit]:
        return self.between(category, sentence.first, sentence.last)

    def status(self, hit: Hit) -> Status:
        return self.contexts.status(hit)

    def text(self, first: int, last: int) -> str:
        """The words [first, last) as they were written."""
        return " ".join(self.words.text[self.words.starts[first] : self.words.ends[last - 1]].split())

    def span(self, first: int, last: int) -> tuple[int, int]:
        return self.words.starts[first], self.words.ends[last - 1]

    def word(self, index: int) -> str:
        return self.words.words[index] if 0 <= index < len(self.words) else ""

    def known_words(self) -> set[int]:
        """The words of the text that this language knows, by index."""
        stopwords = self.vocab.stopwords
        known = {
            i
            for category, hits in self.hits.items()
            if category in _TELLING
            for hit in hits
            for i in range(hit.first, hit.last)
        }
        return known.union(i for i, word in enumerate(self.words.words) if word in stopwords)

    def covered(self) -> int:
        """How many words of the text this language knows."""
        return len(self.known_words())

    def known_spans(self) -> list[tuple[int, int]]:
        """Where this language read something, or knew that nothing is to be read: in order, none over another."""
        categories = ("lesion", "named", "concept", "absent", "no-disease", "guard", "ignored", "analyte")
        apart: list[tuple[int, int]] = []
        for start, end in sorted(
            self.span(hit.first, hit.last) for name in categories for hit in self.hits.get(name, ())
        ):
            if apart and start < apart[-1][1]:
                apart[-1] = (apart[-1][0], max(apart[-1][1], end))
            else:
                apart.append((start, end))
        return apart

    def begins_line(self, sentence: Sentence) -> bool:
        return begins_line(self.words, sentence)

    def sentence_of(self, index: int) -> Sentence:
        if len(self._lasts) != len(self.sentences):
            self._lasts = [s.last for s in self.sentences]
        at = bisect_left(self._lasts, index + 1)
        return self.sentences[min(at, len(self.sentences) - 1)]


def misfiled(document: Document) -> bool:
    """ "NOTE: filed in error, belongs to another patient. …": nothing in such a text is this patient's. Only at its
    opening, and not where the sentence speaks of an earlier note, an image or a result."""
    hits = [h for h in document.hits.get("misfiled", ()) if h.first < OPENING]
    if not hits:
        return False
    sentence = document.sentence_of(hits[0].first)
    another = any(document.within(c, sentence) for c in ("modality", "specimen", "analyte", "drug", "workup"))
    return not another and document.status(hits[0]) in ("affirmed", "other-person")


def overlaps(spans: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether [start, end) shares a letter with one of the spans, which are in order and apart."""
    before = bisect_left(spans, (end,))
    return before > 0 and spans[before - 1][1] > start


def build(words: Words, vocab: Vocabulary, headed: Iterable[Vocabulary] = ()) -> Document:
    """`headed`: languages whose headings of sections hold in this text too."""
    hits = without_lengths(without_other_letters(words, without_spelled_out(words, vocab.find(words))))
    for other in headed:
        found = other.find(words)
        for name in _HEADINGS:
            if more := [hit for hit in found.get(name, ()) if hit not in hits.get(name, ())]:
                hits[name] = sorted([*hits.get(name, ()), *more], key=lambda hit: hit.first)
    parts = sentences(words, vocab.abbreviations)
    return Document(words, vocab, hits, parts, Contexts(words, parts, hits, vocab))
