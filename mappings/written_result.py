"""A result that the laboratory wrote as one line: "9.4 mg/dL (8.5-10.2)", "Calcium: 10.9 mg/dL H", "<2.0 mmol/L".

The whole line must be understood, or nothing of it is: a number picked out of a sentence may be another one's."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from msgspec import Struct

from mappings.units import Analyte, UnitTable, load_units
from mappings.values import Quantity, Range, parse_quantity, parse_range

_LONGEST = 120
_TRAILING_BRACKET = re.compile(r"\s*([(\[][^()\[\]]{1,40}[)\]])\s*[*!]*\s*$")
_NAMED = re.compile(r"^\s*(?P<name>[^\d<>≤≥:=]{2,60}?)\s*[:=]?\s*(?P<rest>[<>≤≥]?=?\s*\d.*)$", re.DOTALL)


class Written(Struct, frozen=True):
    quantity: Quantity
    range: Range | None = None
    flags: tuple[str, ...] = ()
    """flags as written ("H", "high"); stars and exclamation marks, which say no direction, as "A"."""


class _Flags(NamedTuple):
    behind: re.Pattern[str]
    inside: re.Pattern[str]
    """between the number and its unit."""


@cache
def _flags() -> _Flags:
    table = load_units()
    behind, inside = ("|".join(map(re.escape, found)) for found in (table.written_flags, table.flags_before_unit))
    return _Flags(
        re.compile(rf"(?<=[\s\d])\s*[(\[]?({behind}|[*!]{{1,3}})[)\]]?\s*$", re.IGNORECASE),
        re.compile(rf"^\s*(?P<number>[<>≤≥]?=?\s*\d[\d.,]*)\s*[*]?(?P<flag>{inside})[*]?\s+(?P<unit>\S.*)$"),
    )


def parse_written(text: str, analyte: Analyte | None, table: UnitTable) -> Written | None:
    """The number, range and flags of a line that holds nothing else; None when anything is left over, or when the line
    names another test."""
    rest = text.strip()
    if not rest or len(rest) > _LONGEST:
        return None
    flags: list[str] = []
    ranges: list[str] = []
    while True:
        bracket = _TRAILING_BRACKET.search(rest)
        flag = _flags().behind.search(rest)
        if flag is not None:
            flags.append("A" if flag[1][0] in "*!" else flag[1])
            rest = rest[: flag.start()].rstrip()
        elif bracket is not None:
            ranges.append(bracket[1])
            rest = rest[: bracket.start()].rstrip()
        else:
            break
    named = _NAMED.match(rest)
    if named is not None and not _same_test(named["name"], analyte, table):
        return None
    rest = named["rest"] if named is not None else rest
    inside = _flags().inside.match(rest)
    if inside is not None and parse_quantity(rest, table) is None:
        flags.append(inside["flag"])
        rest = f"{inside['number']} {inside['unit']}"
    quantity = parse_quantity(rest, table)
    if quantity is None or len(ranges) > 1:
        return None
    limits = parse_range(ranges[0], quantity, analyte, table) if ranges else None
    return None if ranges and limits is None else Written(quantity, limits, tuple(flags))


def _same_test(name: str, analyte: Analyte | None, table: UnitTable) -> bool:
    named = table.analyte_named(name)
    return named is not None and analyte is not None and named.partition(":")[0] == analyte.id
