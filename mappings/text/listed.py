"""A row of findings with one answer: "Hard nodules, digital ulcers, calcinosis: none", "Calcinosis, pits - all absent",
"Hard nodules, no". What describes a finding that is there ("Hard nodules of both elbows, tender, ulcers: none") is no
such row: only the last of it is denied."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.text.common import load_common
from mappings.text.tokens import Sentence, Words
from mappings.text.vocabulary import Hit

_BOUNDS = frozenset({":", ";", "|", "(", ")", "[", "]", "."})
_SIGNS = frozenset({"-", "–", "—", ":", "=", "|", ","})
_FINDINGS = ("lesion", "named", "calcification")
_TELLING = (
    "place",
    "side",
    "preposition",
    "number",
    "unit",
    "month",
    "feast",
    "moment",
    "since",
    "size-not",
    "trigger",
)
_DESCRIBING = ("hardness", "attribute", "pain", "tender", "side", "scale")
_LONGEST = 4
"""words of the longest item."""
_ROW = 3
"""items of the shortest row that only commas join: of two, the second may describe the first."""


def row(words: Words, hits: Mapping[str, list[Hit]], end: int, sentence: Sentence) -> int | None:
    """Where the row begins that ends before the word `end`; None where there is none."""
    while end > sentence.first and (words.words[end - 1] in _SIGNS or words.words[end - 1] in load_common().linking):
        end -= 1
    begin = _begin(words, end, sentence)
    items, only_commas = _items(words, hits, begin, end)
    whole = words.words[end : end + 2]
    needed = _ROW if only_commas and not any(word in load_common().everything for word in whole) else 2
    if len(items) < needed or not all(_is_bare(words, hits, *one) for one in items):
        return None
    return begin if any(_has(hits, _FINDINGS, *one) for one in items) else None


def answered_behind_comma(words: Words, hits: Mapping[str, list[Hit]], answer: Hit, sentence: Sentence) -> int | None:
    """ "Hard nodules, no.": where the one bare finding begins that the last word of the sentence denies."""
    end = answer.first - 1
    alone = answer.last >= sentence.last and words.words[answer.first][0].isalpha()
    if not alone or end <= sentence.first or words.words[end] != ",":
        return None
    begin = _begin(words, end, sentence)
    return begin if _is_bare(words, hits, begin, end) and _has(hits, _FINDINGS, begin, end) else None


def _begin(words: Words, end: int, sentence: Sentence) -> int:
    """Where the part of the sentence begins that ends before the word `end`."""
    return next((i + 1 for i in range(end - 1, sentence.first - 1, -1) if words.words[i] in _BOUNDS), sentence.first)


def _items(words: Words, hits: Mapping[str, list[Hit]], begin: int, end: int) -> tuple[list[tuple[int, int]], bool]:
    joins = {hit.first: hit.last for hit in hits.get("coordinator", ()) if begin <= hit.first < end}
    items, first, only_commas = [], begin, True
    for at in range(begin, end):
        if at in joins or words.words[at] in (",", "/"):
            only_commas = only_commas and words.words[at] == ","
            if at > first:
                items.append((first, at))
            first = joins.get(at, at + 1)
    if end > first:
        items.append((first, end))
    return items, only_commas


def _is_bare(words: Words, hits: Mapping[str, list[Hit]], first: int, last: int) -> bool:
    """A noun with its adjectives, and nothing that tells where, when, how many or how much."""
    if not 0 < last - first <= _LONGEST or not all(word[0].isalpha() for word in words.words[first:last]):
        return False
    hidden = {i for name in ("ignored", "concept") for h in hits.get(name, ()) for i in range(h.first, h.last)}
    told = {i for name in _TELLING for h in hits.get(name, ()) for i in range(h.first, h.last)} - hidden
    described = {i for name in _DESCRIBING for h in hits.get(name, ()) for i in range(h.first, h.last)}
    inside = range(first, last)
    return told.isdisjoint(inside) and (_has(hits, _FINDINGS, first, last) or not described.issuperset(inside))


def _has(hits: Mapping[str, list[Hit]], names: tuple[str, ...], first: int, last: int) -> bool:
    return any(first <= hit.first < last for name in names for hit in hits.get(name, ()))
