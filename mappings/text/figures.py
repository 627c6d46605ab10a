"""What stands around a number: the test's name before it, its unit, and the laboratory's range behind it."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from mappings.text.common import either, load_common
from mappings.text.document import Document
from mappings.text.notation import load_notation
from mappings.text.vocabulary import Hit

_RANGE = r"\d{1,4}(?:[.,]\d{1,3})?\s?[-–]\s?\d{1,4}(?:[.,]\d{1,3})?"
_BELOW_ONE = frozenset({"0.", "0,"})
_LIMITS = re.compile(r"[^()\[\];,\n]{0,20}([(\[][^()\[\]\n]{3,40}[)\]])")
"""a bracket right after the number: the laboratory's range, if it turns out to be one."""
_CELL = re.compile(
    r"[^|;,\n]{0,4}[|;,][^|;,\n]{1,12}[|;,]\s?(\d+(?:[.,]\d+)?\s?[-–]\s?\d+(?:[.,]\d+)?)\s?(?=[|;,]|\n|$)"
)
"""the range in the cell after the unit's, in a row of a table."""
_BEHIND_UNIT = re.compile(r"[ \t]{1,3}(\d{1,3}(?:[.,]\d{1,2})?\s?[-–]\s?\d{1,3}(?:[.,]\d{1,2})?)(?![\w/–-]|[.,]\d)")
"""a range without brackets right behind the unit ("9.5 mg/dL 8.6-10.2"), as laboratories print it."""
_BEFORE_UNIT = re.compile(
    rf"\s{{0,2}}(?:\(?[hln]{{1,2}}\)?\s{{1,2}})?\|?\s?(?<=[\s|])({_RANGE})\s{{1,2}}(?:\|\s?)?(?=[a-zµμ])", re.IGNORECASE
)
"""a range between the number and the unit ("12.4 H  8.6-10.2 mg/dL"), as in many tables."""
_NAMED_RANGE = re.compile(
    rf"[(\[](?:[a-z.:]{{1,12}}\s?){{0,2}}({_RANGE})\s?([^()\[\]]{{0,12}})[)\]](?:/\({_RANGE}\))?\s?[:=]?\s?",
    re.IGNORECASE,
)
"""a range in the bracket behind the name ("Calcium (8.6-10.2 mg/dL): 9.4"); of a rate or pressure the lowest and the
highest of a day, as flowsheets print them ("Heart Rate: [44-48] 45", "BP: (84-120)/(50-70) 90/52")."""
_BOUND = r"\d{1,3}(?:[.,]\d{1,2})?"
_DECIMAL = re.compile(r"\d[.,]\d")
_OPENS = frozenset(",([-–")
_CLOSES = frozenset(")].")
Number = tuple[str, str | None, str | None, str | None]
"""(value, comparator, unit, bracket behind it) as written."""


class _Units(NamedTuple):
    """Patterns made of `notation.yaml`."""

    unit: re.Pattern[str]
    """the unit right behind a number; before it a flag, a sign of a table or the laboratory's range may stand"""
    seconds: re.Pattern[str]
    """an interval in seconds ("PR 0.23 s"): of a number below one only"""
    next_cell: re.Pattern[str]
    """the range in the cell after that of the number and its unit ("9.1 mg/dL | 8.6-10.2 |"), the unit again or not"""
    inside: re.Pattern[str]
    """a concentration behind a number"""
    alone: re.Pattern[str]
    """a concentration in a bracket behind the name of a test: the heading of a table"""


@cache
def _units() -> _Units:
    notation = load_notation()
    units, told, short = notation.units, notation.concentrations, notation.concentrations_of_cells
    concentration = rf"(?:{'|'.join(told.of)})\s?/\s?(?:{'|'.join(told.in_)})"
    of_cell = rf"(?:{'|'.join(short.of)})/(?:{'|'.join(short.in_)})"
    amounts, counts, others = map("|".join, (units.amounts, units.counts, units.others))
    return _Units(
        re.compile(
            r"\s{0,2}(?:(?:\(?[hln]{1,2}\)?|[*!+↑↓]{1,3})\s{1,2})?(?:[|,;]\s?)?"
            rf"(?:\([^()]{{0,24}}\)\s?|\[[^\[\]]{{0,24}}\]\s?|{_RANGE}\s{{1,2}}(?:\|\s?)?)?"
            rf"\(?\s?((?:{amounts}|(?:{counts})(?=\s?/)|{others})"
            rf"(?:\s?/\s?(?:{'|'.join(units.surfaces)}|[a-z0-9.²³^µμ]+)){{0,3}}(?![a-z])|/\s?(?:{'|'.join(units.rates)}))"
        ),
        re.compile(rf"\s?({'|'.join(units.seconds)})(?![a-z/])"),
        re.compile(
            rf"\s?[|;\t]\s?({_RANGE}(?:\s?{of_cell})?)\s?(?=[|;,\t]|\n|$)",
            re.IGNORECASE,
        ),
        re.compile(rf"(?<=[\d\s])({concentration})(?![a-z])", re.IGNORECASE),
        re.compile(rf"({concentration})(?=\s?[)\]])"),
    )


def behind_name(document: Document, hit: Hit, end: int) -> tuple[int, str | None]:
    """(first word behind a test's name and what a laboratory sets behind it, the unit if it is among that): "Calcium,
    Serum: 9.2 mg/dL", "Calcium (mmol/L): 2.31", "Calcium i.S. 2,38 mmol/l"."""
    at, unit = hit.last, None
    while at < end:
        here = at + (document.word(at) in _OPENS)
        named = [q for q in document.between("qualifier", here, here + 1) if q.last <= end]
        if named:
            at = named[0].last
        elif here > at and (match := _units().alone.match(document.words.folded, document.words.starts[here])):
            unit = document.words.text[match.start(1) : match.end(1)].replace(" ", "")
            while at < end and document.words.starts[at] < match.end(1):
                at += 1
        else:
            break
        at += document.word(at) in _CLOSES
    return at + (at == hit.last and document.word(at) in _CLOSES), unit


def unit_at(document: Document, index: int) -> str | None:
    """The unit right behind the number at a word."""
    match = _units().unit.match(document.words.folded, document.words.ends[index])
    if match is None and document.word(index)[:2] in _BELOW_ONE:
        match = _units().seconds.match(document.words.folded, document.words.ends[index])
    return document.words.text[match.start(1) : match.end(1)].replace(" ", "").rstrip(".") if match else None


def past_unit(document: Document, index: int) -> int:
    """The first word behind the number at a word and its unit."""
    match = _units().unit.match(document.words.folded, document.words.ends[index])
    at = index + 1
    while match and at < len(document.words) and document.words.starts[at] < match.end(1):
        at += 1
    return at


def limits_at(document: Document, index: int) -> str | None:
    """The bracket or cell behind the number at a word, if there is a figure in it."""
    begin = document.words.ends[index]
    match = _LIMITS.match(document.words.text, begin, begin + 64) or _CELL.match(document.words.text, begin)
    if match and any(c.isdigit() for c in match[1]):
        return match[1]
    unit = _units().unit.match(document.words.folded, begin)
    if unit and (told := _BEFORE_UNIT.match(document.words.text, begin)) and told.end() <= unit.start(1):
        return told[1]
    called = _called().match(document.words.folded, unit.end(1)) if unit else None
    if called and (_DECIMAL.search(called[1]) or "ref" in called[0]):  # "normal 3-4 weeks ago"
        return _with_unit(document, called)
    cell = _units().next_cell.match(document.words.text, unit.end(1)) if unit else None
    if cell:
        return cell[1]
    bare = _BEHIND_UNIT.match(document.words.text, unit.end(1)) if unit else None
    return bare[1] if bare and any(sign in bare[1] for sign in ".,") else None  # "5-20" may be a day


def _with_unit(document: Document, told: re.Match[str]) -> str:
    """A range with the unit behind it, which may be another than the result's."""
    unit = _units().inside.match(document.words.text, told.end(1) + 1)
    return f"{told[1]} {unit[1]}" if unit else told[1]


@cache
def _called() -> re.Pattern[str]:
    """A range behind a word that calls it so: "9.5 mg/dL Ref: 8.7-10.3", "9,4 mg/dL. Valores de referência: 8,6 a
    10,2"; behind one that may stand for something else ("norm", "N:") in the same line only."""
    common = load_common()
    short, long, letters = map(either, (common.range_signs, common.range_names, common.range_letters))
    bounds = rf"({_BOUND}\s?(?:[-–]|{either(common.numbers.limits)})\s?{_BOUND})(?![\w/–-]|[.,]\d)"
    return re.compile(
        rf"(?:[ \t]{{0,3}}[,;]?[ \t]{{0,2}}(?:{short}|(?:{letters})[ \t]?(?=:))"
        rf"|[ \t]{{0,3}}[.,;]?\s{{0,3}}(?:[-–][ \t])?(?:{long}))"
        rf"[.:= \t]{{1,4}}{bounds}"
    )


def range_of_name(document: Document, index: int, end: int) -> tuple[int, str] | None:
    """(the first word behind it, the range) where a bracket with the range opens at a word, before the number."""
    index += document.word(index) == ":"
    if index >= end or document.word(index) not in ("(", "["):
        return None
    match = _NAMED_RANGE.match(document.words.text, document.words.starts[index])
    if match is None:
        return None
    at = index
    while at < end and document.words.starts[at] < match.end():
        at += 1
    return at, match[0].rstrip(" :=")


def unit_of_limits(limits: str | None) -> str | None:
    """The unit that stands with the laboratory's range and is meant for the number too: "9.3 (8.6-10.2 mg/dL)"."""
    match = _units().inside.search(limits) if limits else None
    return match[1].replace(" ", "") if match else None
