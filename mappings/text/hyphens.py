"""Words that a line break parts at a hyphen: "Kalzi-/nose" is one word, "intra-/articular" two that a hyphen joins, and
"RF-/ANA+" is neither. Whether the hyphen belongs to the word only a language tells: what makes a word or a phrase of it
is read so, what makes none stays as it is written."""

from __future__ import annotations

import re
from collections.abc import Collection

from mappings.text.tokens import Span, Words, cut
from mappings.text.vocabulary import Vocabulary, rule

_BREAK = re.compile(r"(?<=\w)-[^\S\n]{0,20}\n\s{0,80}(?=\w)")
_REACH = 60
"""characters on either side in which an entry across a break begins and ends"""
_MOST = 2_000
"""breaks of one text that are looked at"""


def broken(text: str) -> bool:
    """Whether a hyphen between two words ends a line."""
    return "-" in text and _BREAK.search(text) is not None


def undone(text: str, vocabularies: Collection[Vocabulary]) -> list[Span]:
    """What does not belong to the words of a text: a line break behind a hyphen, or both. Positions in `text`, which is
    in NFC."""
    found: list[Span] = []
    known: dict[tuple[str, str], int | None] = {}
    for _, match in zip(range(_MOST), _BREAK.finditer(text), strict=False):
        start, end = match.span()
        lines = text[max(0, start - _REACH) : start].rpartition("\n")[2], text[end : end + _REACH].partition("\n")[0]
        if lines not in known:
            known[lines] = _kept(*lines, vocabularies)
        if (kept := known[lines]) is not None:
            found.append((start + kept, end))
    return found


def _kept(before: str, behind: str, vocabularies: Collection[Vocabulary]) -> int | None:
    """1 where the hyphen joins two lines, 0 where it goes too, None where both the hyphen and the break stay."""
    joined, whole = cut(f"{before}-{behind}"), cut(before + behind)
    as_two, as_one = (_across(words, len(before), vocabularies) for words in (joined, whole))
    if as_two or as_one:
        return 1 if as_two >= as_one else 0
    if behind[0].islower() and any(_denies(joined, len(before), vocabulary) for vocabulary in vocabularies):
        return 1
    return 0 if _goes_on(cut(before), cut(behind), vocabularies) else None


def _across(words: Words, place: int, vocabularies: Collection[Vocabulary]) -> int:
    """How many letters the longest entry has that holds those on both sides of a place."""
    longest = 0
    for vocabulary in vocabularies:
        for hits in vocabulary.find(words).values():
            for hit in hits:
                start, end = words.starts[hit.first], words.ends[hit.last - 1]
                if start < place < end:
                    longest = max(longest, sum(map(str.isalnum, words.text[start:end])))
    return longest


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
    if not before.words or not behind.words or not behind.text[0].islower():
        return False
    return not any(_is_word(word, vocabularies) for word in (before.words[-1], behind.words[0]))


def _is_word(word: str, vocabularies: Collection[Vocabulary]) -> bool:
    return any(word in vocabulary.root or word in vocabulary.bridging for vocabulary in vocabularies)
