"""Diagnoses that somebody only fears: "worried about calcinosis", "elle s'inquiète d'une calcinose". Who worries about
a lump has it, and who worries about "her" calcinosis, or about that of a place, has it too."""

from __future__ import annotations

from bisect import bisect_left

from mappings.text.tokens import Words
from mappings.text.vocabulary import Hit

_NAMED_LUMP = "calcinosis"
_SCOPE = 8
_PLACE = 4


def feared(words: Words, hits: dict[str, list[Hit]], first: int, last: int, present: frozenset[str]) -> list[Hit]:
    """The diagnoses among the words [first, last) that the fear is of. `present`: words by which a thing is there."""
    last = min(last, first + _SCOPE)
    if any(hit.value != _NAMED_LUMP for name in ("lesion", "named") for hit in _within(hits, name, first, last)):
        return []
    found = _within(hits, "concept", first, last)
    if any(words.words[hit.first - 1] in present for hit in found):
        return []
    return [hit for hit in found if not _within(hits, "place", hit.last, hit.last + _PLACE)]


def _within(hits: dict[str, list[Hit]], name: str, first: int, last: int) -> list[Hit]:
    found = hits.get(name, [])
    starts = [hit.first for hit in found]
    return found[bisect_left(starts, first) : bisect_left(starts, last)]
