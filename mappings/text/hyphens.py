"""Words that a line break parts at a hyphen: "Kalzi-/nose" is one word, "intra-/articular" two that a hyphen joins, and
"RF-/ANA+" is neither. Whether the hyphen belongs to the word only a language tells: what makes a word or a phrase of it
is read so, what makes none stays as it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from mappings.text.tokens import Span, Words, cut
from mappings.text.vocabulary import Hit, Vocabulary, rule

_BREAK = re.compile(r"(?<=\w)-[^\S\n]{0,20}\n\s{0,80}(?=\w)")
_REACH = 60
"""characters on either side in which an entry across a break begins and ends"""
_LONG = 3
"""letters on either side that are capitals where a whole word is ("INTOLER-/ANCES")"""
_MOST = 2_000
"""breaks of one text that are looked at"""

Places = Callable[[str], Iterable[Span]]


def _nothing(_: str) -> Iterable[Span]:
    return ()


def broken(text: str) -> bool:
    """Whether a hyphen between two words ends a line."""
    return "-" in text and _BREAK.search(text) is not None


def undone(text: str, vocabularies: Collection[Vocabulary], names: Places = _nothing) -> list[Span]:
    """What does not belong to the words of a text: a line break behind a hyphen, or both. Positions in `text`, which is
    in NFC. `names`: where the names stand that no vocabulary has."""
    found: list[Span] = []
    known: dict[tuple[str, str], int | None] = {}
    for _, match in zip(range(_MOST), _BREAK.finditer(text), strict=False):
        start, end = match.span()
        lines = text[max(0, start - _REACH) : start].rpartition("\n")[2], text[end : end + _REACH].partition("\n")[0]
        if lines not in known:
            known[lines] = _kept(*lines, vocabularies, names)
        if (kept := known[lines]) is not None:
            found.append((start + kept, end))
    return found


def _kept(before: str, behind: str, vocabularies: Collection[Vocabulary], names: Places) -> int | None:
    """1 where the hyphen joins two lines, 0 where it goes too, None where both the hyphen and the break stay."""
    joined, whole = cut(f"{before}-{behind}"), cut(before + behind)
    as_two, as_one = (_across(words, len(before), vocabularies, names) for words in (joined, whole))
    if as_two or as_one:
        return 1 if as_two >= as_one else 0
    if behind[0].islower() and any(_denies(joined, len(before), vocabulary) for vocabulary in vocabularies):
        return 1
    return 0 if _goes_on(cut(before), cut(behind), vocabularies) else None


def _across(words: Words, place: int, vocabularies: Collection[Vocabulary], names: Places) -> int:
    """How many letters the longest entry has that holds those on both sides of a place."""
    spans = [(words.starts[hit.first], words.ends[hit.last - 1]) for hit in _hits(words, vocabularies)]
    across = (words.text[start:end] for start, end in (*spans, *names(words.text)) if start < place < end)
    return max((sum(map(str.isalnum, entry)) for entry in across), default=0)


def _hits(words: Words, vocabularies: Collection[Vocabulary]) -> Iterator[Hit]:
    for vocabulary in vocabularies:
        for hits in vocabulary.find(words).values():
            yield from hits


def _denies(words: Words, place: int, vocabulary: Vocabulary) -> bool:
    """Whether the word in front of a place denies what is behind it ("non-/calcified")."""
    for hit in vocabulary.find(words).get("trigger", ()):
        if words.ends[hit.last - 1] == place:
            meant = rule(vocabulary, hit)
            if meant.kind == "trigger" and meant.status == "negated" and meant.direction == "forward":
                return True
    return False


def _goes_on(before: Words, behind: Words, vocabularies: Collection[Vocabulary]) -> bool:
    """Whether a word that no language knows goes on in the next line: what stands on either side is no word by itself,
    as a test ("RF-") or one of two that share an ending ("Knie-/und Ellenbogen") is."""
    if not before.words or not behind.words:
        return False
    if not behind.text[0].islower() and not (before.text[-_LONG:] + behind.text[:_LONG]).isupper():
        return False
    return not any(_is_word(word, vocabularies) for word in (before.words[-1], behind.words[0]))


def _is_word(word: str, vocabularies: Collection[Vocabulary]) -> bool:
    return any(word in vocabulary.root or word in vocabulary.bridging for vocabulary in vocabularies)
