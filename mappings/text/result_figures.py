"""The figure behind a test's name: "Ca 2.35 mmol/L", "LVEF severely reduced at 25-30 %", "RR 82/50"."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from mappings.text.asides import past_aside
from mappings.text.common import either, load_common
from mappings.text.document import Document
from mappings.text.figures import Number, behind_name, limits_at, past_unit, range_of_name, unit_at, unit_of_limits
from mappings.text.movement import came_to
from mappings.text.spelled_numbers import spelled
from mappings.text.times import amount
from mappings.text.vocabulary import Hit

SIGNS = frozenset({":", "=", "(", "-", "–", "~", "|"})
"""what may stand between a test's name and its result."""
BRIDGE = 4
"""small words at most between the two."""
_ESTIMATE_BRIDGE = 8
_SPELT = 4
"""words of a number that is spelled out, and the one behind it"""
_UNIT = 4
"""words of a figure and its unit"""
_AIMED = 3
"""words before a name by which its range may be one that is wished for."""
_COMPARATORS = {"<": "<", ">": ">", "≤": "<=", "≥": ">="}
_RANGE = re.compile(r"\s?[-–]\s?\d")
_RATIO = re.compile(r"\s?[:/]\s?\d")
"""a titre ("1:640") is no value."""
_CENTIMETRES = re.compile(r"([1-9]\d?)(?:[.,]\d)?\s?[/x×]\s?([1-9]\d?)(?:[.,]5)?(?![\d/.,]\d|\d|/)")
"""two figures that may be pressures in centimetres of mercury."""


class _Patterns(NamedTuple):
    upper: re.Pattern[str]
    """the other end of a range of per cents."""
    lower: re.Pattern[str]
    """the second of two pressures ("82/50", "82 over 50"); one is enough behind a name that says which."""
    between: re.Pattern[str]
    """the other end of a range of upper pressures ("80-85", "70s-80s")."""
    spread: re.Pattern[str]
    """the other end of a range that a word joins ("8.6 to 10.2")."""


@cache
def _patterns() -> _Patterns:
    words = load_common().numbers
    ends = either(words.limits, words.limits_of_share)
    return _Patterns(
        re.compile(rf"\s?%?\s?(?:[-–]|{ends})\s?\d{{1,2}}(?P<unit>\s?%)?"),
        re.compile(
            rf"(?:s?\s?[/x×]\s?|\s(?:{either(words.pressures)})\s)(?:\d{{2,3}}(?![\d/])|(?:palp|p|d)\b|-{{1,2}}(?![\w-]))"
        ),
        re.compile(r"\s?[-–]\s?\d{2,3}s?(?![\w/])"),
        re.compile(rf"\s(?:{either(words.limits)})\s\d"),
    )


def figure_of(document: Document, hit: Hit, end: int, dates: list[tuple[str, int, int]]) -> Number | None:
    """The figure right after the test's name."""
    comparator = None
    begin, told = behind_name(document, hit, end)
    begin = past_aside(document, begin, end)
    named = range_of_name(document, begin, end)
    begin = named[0] if named else begin
    passed = begin
    estimated = hit.value in load_common().results.estimated
    bridge = _ESTIMATE_BRIDGE if estimated else BRIDGE
    dated = {i for _, first, last in dates if begin <= first and last < end for i in range(first, last)}
    bridged = begin + BRIDGE
    reach = begin + bridge + 2 + moments(document, begin, end)
    for index in range(begin, end):
        word = document.word(index)
        if index in dated or (word == ")" and index - 1 in dated):  # "Calcium (12/11/2025): 2.31"
            bridged, reach = bridged + 1, reach + 1
            continue
        if index >= reach:
            break
        if index < passed:
            continue
        if word in _COMPARATORS:
            comparator = _COMPARATORS[word]
            if document.word(index + 1) == "=":
                comparator += "="
            continue
        if estimated and (word in "()." or word in document.vocab.estimates):
            continue
        if word in SIGNS or (word in document.vocab.bridging and index < bridged):
            continue
        if is_moment(document, index) or (
            word == "," and (_tight(document, index) or (index == begin and _is_told_by(document, hit, index, end)))
        ):
            continue
        if word in load_common().results.moved:
            continue
        if hit.value in load_common().results.spelled and (spelt := spelled(document, index)) is not None:
            return spelt, comparator, None, None
        if hit.value == load_common().results.pressure and (spelt := _spelled_pressure(document, index)) is not None:
            return spelt, comparator, "mmHg", None
        if hit.value == load_common().results.pressure and _is_told(document, index):
            continue
        if word[0].isdigit() and amount(word) is not None:
            if estimated and (upper := _patterns().upper.match(document.words.folded, document.words.ends[index])):
                return word, comparator, "%" if upper["unit"] else None, None
            if hit.value == load_common().results.pressure:
                moved = came_to(document, hit, end, dates)
                return pressure_at(document, hit, moved[1] if moved else index, comparator)
            if _is_other(document, begin, index, dated, ranged=hit.value in load_common().results.ranged):
                return None
            limits = limits_at(document, index) or (named[1] if named else None)
            unit = unit_at(document, index) or told or unit_of_limits(limits)
            if unit is None and document.word(index + 1) in load_common().results.swallowed:
                return None
            return None if _is_dose(hit, word, unit) else (word, comparator, unit, limits)
        found = document.between("word", index, index + 1)
        if not found:
            return None
        passed = found[0].last
    return None


def _is_dose(hit: Hit, word: str, unit: str | None) -> bool:
    """ "Calcium 600 mg", "calcium 1200 daily": what is taken, not what was measured."""
    if unit is not None:
        return unit.lower() in load_common().doses
    most = load_common().results.doses_from.get(hit.value)
    value = amount(word)
    return most is not None and value is not None and value >= most


def pressure_at(document: Document, hit: Hit, index: int, comparator: str | None) -> Number | None:
    """The upper of two pressures, or the only one where the name says which; None where it is neither."""
    word, folded, end = document.word(index), document.words.folded, document.words.ends[index]
    lower = _patterns().lower.match(folded, end)
    if lower is None and _in_centimetres(folded, document.words.starts[index]):
        return word, comparator, "cmHg", None
    named_upper = any(document.word(i) in load_common().systolic for i in range(hit.first, hit.last))
    near = {document.word(i) for i in range(max(0, hit.first - _AIMED), index)}
    wished = not near.isdisjoint(load_common().results.aims)
    between = None if wished else _patterns().between.match(folded, end)
    alone = named_upper and (_RANGE.match(folded, end) is None or between is not None)
    return (word, comparator, "mmHg", None) if (lower or alone) and len(word) <= 3 else None


def _in_centimetres(text: str, start: int) -> bool:
    told, limits = _CENTIMETRES.match(text, start), load_common().results.centimetres
    pairs = zip(told.groups(), (limits.upper, limits.lower), strict=True) if told else ()
    return told is not None and all(least <= int(figure) <= most for figure, (least, most) in pairs)


def _spelled_pressure(document: Document, index: int) -> str | None:
    """The upper of two pressures that are spelled out ("eighty-four over fifty")."""
    upper = spelled(document, index)
    over = next(
        (i for i in range(index + 1, index + _SPELT) if document.word(i) in load_common().numbers.pressures), None
    )
    return upper if upper and over is not None and spelled(document, over + 1) is not None else None


def _is_told(document: Document, index: int) -> bool:
    """How a pressure is called before its figure ("BP soft, 86/50s")."""
    told = load_common().results.pressure_told
    return document.word(index) in told or (document.word(index) == "," and document.word(index - 1) in told)


def _is_other(document: Document, begin: int, index: int, dated: set[int], *, ranged: bool) -> bool:
    """Whether the number is a range, a titre or a length of time, or stands behind a word that is the result."""
    spread = _RANGE.match(document.words.folded, document.words.ends[index]) or (
        _patterns().spread.match(document.words.folded, document.words.ends[index])
    )
    if spread and not ranged:
        return True
    if _RATIO.match(document.words.folded, document.words.ends[index]):
        return True
    words = [hit for hit in document.between("word", begin, index) if hit.first not in dated]
    taken = words or document.between("unit", index + 1, index + 2)
    return bool(taken) and unit_at(document, index) is None


def _tight(document: Document, index: int) -> bool:
    """The comma of a table ("Calcium,9.4,mg/dL"): no blank behind it."""
    return index + 1 < len(document.words) and document.words.ends[index] == document.words.starts[index + 1]


def _is_told_by(document: Document, hit: Hit, comma: int, end: int) -> bool:
    """ "Serum calcium, 9.2 mg/dL; phosphate, 3.4 mg/dL": the comma parts a name from its figure, which has a unit. Not
    where figures stand before the names ("9.2 mg/dL calcium, 3.4 mg/dL phosphate")."""
    figure = comma + 1
    if figure >= end or not document.word(figure)[0].isdigit() or unit_at(document, figure) is None:
        return False
    first = hit.first
    while first > 0 and document.between("qualifier", first - 1, first):
        first -= 1
    before = range(max(first - _UNIT, 0), first)
    led = any(document.word(i)[0].isdigit() and past_unit(document, i) == first for i in before)
    behind = past_unit(document, figure)
    return not led and not document.between("analyte", behind, behind + 1)


def is_moment(document: Document, index: int) -> bool:
    """A word of "last week", "this month": when the test was done."""
    return any(h.last > index for c in ("moment", "span") for h in document.between(c, index - BRIDGE, index + 1))


def moments(document: Document, first: int, last: int) -> int:
    """How many words of such a time stand in the words [first, last)."""
    return sum(
        h.last - h.first
        for c in ("moment", "span")
        for h in document.between(c, first, first + BRIDGE)
        if h.last <= last
    )
