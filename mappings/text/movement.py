"""Where a figure came to: "fell from 88 to 26 mL/min", "stieg von 2,3 auf 2,9 mmol/l", "88, falling to 26". Read by the
first number, the test would have the value that it has no more; read as a range, none."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.figures import past_unit, unit_at
from mappings.text.times import amount
from mappings.text.vocabulary import Hit

_LED, _BETWEEN, _NEAR = 5, 10, 2
"""words before a test that may name a movement, between its two figures, and around the word between them"""
Dates = list[tuple[str, int, int]]
_OTHERS = ("analyte", "drug", "concept", "lesion", "place")
_TIMES = ("month", "moment", "span", "now", "ago", "coordinator")


class _Words(NamedTuple):
    sources: frozenset[str]
    targets: frozenset[str]
    verbs: frozenset[str]
    ranging: frozenset[str]


@cache
def _words() -> _Words:
    told, moved = load_common().movement, load_common().results.moved
    verbs = frozenset((*told.verbs, *moved))
    return _Words(frozenset(told.sources), frozenset(told.targets), verbs, frozenset(told.ranging))


def came_to(document: Document, hit: Hit, end: int, dates: Dates) -> tuple[int, int] | None:
    """(the word of the figure that a test left, that of the one it came to): a word such as "from" stands before the
    first, one such as "to" before the second, and a word of movement in the clause. Without the first of these words,
    nothing but the movement and its time stands between the figures ("88 in May, falling to 26")."""
    told = _words()
    days = {index for _, begin, last in dates for index in range(begin, last)}
    for index in range(hit.last, end):
        if index in days or not document.word(index)[0].isdigit() or amount(document.word(index)) is None:
            continue
        later = _target(document, index, end, days)
        if later is None:
            return None
        led = _is_near(document, index, told.sources)
        first = max(hit.first - _LED, 0) if led else past_unit(document, index)
        last = min(past_unit(document, later) + _NEAR, end) if led else later
        said = {document.word(i) for i in range(first, last)}
        moved = not said.isdisjoint(told.verbs) and said.isdisjoint(told.ranging)
        return (index, later) if moved and (led or _is_all_movement(document, index, later)) else None
    return None


def _target(document: Document, first: int, end: int, days: set[int]) -> int | None:
    """The figure behind the next word such as "to", which no other test, drug, finding or clause parts from the first;
    none where it is a dose ("calcium 9.4, to be increased to 1000 mg")."""
    at = past_unit(document, first)
    for index in range(at, min(at + _BETWEEN, end)):
        word = document.word(index)
        if index not in days and word[0].isdigit() and _is_near(document, index, _words().targets):
            dose = (unit_at(document, index) or "").lower() in load_common().doses
            return index if amount(word) is not None and not dose else None
        if word == ";" or any(document.between(c, index, index + 1) for c in _OTHERS):
            return None
    return None


def _is_near(document: Document, index: int, words: frozenset[str]) -> bool:
    """Whether one of the words stands right before a figure ("to", "to about")."""
    for at in range(index - 1, max(index - 1 - _NEAR, -1), -1):
        if document.word(at) in words:
            return True
        if document.word(at) not in document.vocab.bridging:
            return False
    return False


def _is_all_movement(document: Document, first: int, later: int) -> bool:
    """Whether only verbs of movement, small words, signs and times stand between two figures of the same unit."""
    units = unit_at(document, first), unit_at(document, later)
    if all(units) and len({str(unit).lower() for unit in units}) > 1:
        return False
    gap = range(past_unit(document, first), later)
    timed = {i for c in _TIMES for h in document.between(c, gap.start, gap.stop) for i in range(h.first, h.last)}
    told = _words().verbs | _words().targets | document.vocab.stopwords | document.vocab.bridging
    return all(i in timed or document.word(i) in told or not document.word(i)[0].isalpha() for i in gap)
