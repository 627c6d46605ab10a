"""Values: numbers with comparator and unit, words and flags, reference ranges. Exact decimals throughout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from mappings.data_schema import Ranges, read_table
from mappings.facts import Problem
from mappings.text.common import either, load_common
from mappings.text.folding import fold
from mappings.units import Analyte, UnitTable

_NUMBER = re.compile(
    r"\s*(?P<comparator>[<>≤≥]=?|)\s*(?P<number>\d{1,7}(?:[.,]\d{1,6})?)\s*(?P<unit>[^\d\s].{0,24}|(?<=\s)10[*^].{0,22})?\s*"
)
_ONE_SIDED = re.compile(r"\s*(?P<comparator>[<>≤≥]=?)\s*(?P<number>\d{1,7}(?:[.,]\d{1,6})?)\s*(?P<unit>\D.{0,24})?\s*")
_COUNTED = "/uL"
_THOUSANDS = re.compile(r"(?<!\d)(\d{1,3})[.,\s](\d{3})(?![\d.,])")
_PRECISION = Decimal("0.0001")
"""of a limit that was converted to the result's unit: finer than any laboratory reports."""
_COMPARATORS = {"<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="}


class Quantity(Struct, frozen=True):
    """A number as written: the interval it can mean in its own unit."""

    low: Decimal | None
    high: Decimal | None
    comparator: str | None
    unit: str | None
    """canonical spelling; None when missing or not in the table."""
    unit_text: str | None
    second_unit: str | None = None
    """what the unit text means when it is in the table too and says something else than the UCUM code."""


def number(value: object) -> Decimal | None:
    """A JSON number (int, Decimal, float) or a numeric string as an exact Decimal; None for anything else.

    Trailing zeros go: a client that hands a chart on through floats turns 2.310 into 2.31, and the same chart must
    give the same words whichever way it came.
    """
    if type(value) is int:
        return Decimal(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return _bare(value) if value.is_finite() else None
    if isinstance(value, int | float | str):
        try:
            found = Decimal(str(value).strip())
        except InvalidOperation:
            return None
        return _bare(found) if found.is_finite() else None
    return None


def _bare(value: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent (numbers of absurd size stay as they are)."""
    if value == value.to_integral_value():
        return value.quantize(Decimal(1)) if abs(value) < 10**15 else value
    return value.normalize()


def read_quantity(value: object, table: UnitTable) -> Quantity | None:
    """A FHIR Quantity: UCUM code first, else the unit text."""
    if not isinstance(value, Mapping):
        return None
    found = number(value.get("value"))
    if found is None:
        return None
    code, unit = value.get("code"), value.get("unit")
    coded = table.unit(code)
    said = coded if unit == code else table.unit(unit)
    text = unit or code
    comparator = value.get("comparator")
    read = _quantity(
        found,
        None if comparator is None else str(comparator).strip(),
        coded or said,
        text if isinstance(text, str) else None,
    )
    return replace(read, second_unit=said) if coded and said and said != coded else read


def renumbered(quantity: Quantity, value: Decimal) -> Quantity:
    """Another number written with the same comparator and unit."""
    found = _quantity(value, quantity.comparator, quantity.unit, quantity.unit_text)
    return found if quantity.second_unit is None else replace(found, second_unit=quantity.second_unit)


def parse_quantity(text: str, table: UnitTable) -> Quantity | None:
    """A string that is wholly number and known unit ("9.4 mg/dL", "2,35 mmol/L", "<5"); None otherwise."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    unit_text = (match["unit"] or "").strip()
    unit = table.unit(unit_text) if unit_text else None
    if unit_text and unit is None:
        return None
    value = number(_written(match["number"], unit))
    return (
        _quantity(value, _COMPARATORS.get(match["comparator"]), unit, unit_text or None) if value is not None else None
    )


def _written(figure: str, unit: str | None) -> str:
    """A figure with its decimal point. A count of cells in a microlitre has no decimals: "72.000/mm³" are thousands."""
    return _THOUSANDS.sub(r"\1\2", figure) if unit == _COUNTED else figure.replace(",", ".")


def _quantity(value: Decimal, comparator: str | None, unit: str | None, text: str | None) -> Quantity:
    if comparator in ("<", "<="):
        return Quantity(None, value, comparator, unit, text)
    if comparator in (">", ">=", "ad"):
        return Quantity(value, None, comparator, unit, text)
    if comparator:
        return Quantity(None, None, comparator, unit, text)  # "about", or a word nobody agreed on: no number to use
    return Quantity(value, value, None, unit, text)


class Canonical(Struct, frozen=True):
    low: Decimal | None
    high: Decimal | None
    problem: Problem | None


def to_canonical(quantity: Quantity, analyte: Analyte | None, property_: str | None) -> Canonical:
    """The interval in the analyte's canonical unit, or what is wrong with it.

    unit-unknown: no unit, or none of the table. unit-mismatch: a unit this analyte can't have, or one that contradicts
    the code (a code for mass with a molar unit), which is a data error that must not be guessed away. implausible:
    outside what a human can have after conversion, so probably a unit error. comparator-unknown: the value is written
    with a comparator that FHIR does not know."""
    if quantity.low is None and quantity.high is None:
        return Canonical(None, None, "comparator-unknown")
    if analyte is None:
        return Canonical(None, None, None)
    unit = quantity.unit
    if unit is None:
        if not analyte.unit_optional or quantity.unit_text:
            return Canonical(None, None, "unit-unknown")
        unit = analyte.canonical or "1"
    if unit not in analyte.units:
        unit = analyte.aliases.get(unit, unit)
    if unit not in analyte.units:
        return Canonical(None, None, "unit-mismatch")
    if (property_ == "mass" and "mol" in unit) or (property_ == "moles" and unit.split("/")[0].endswith("g")):
        return Canonical(None, None, "unit-mismatch")
    if quantity.second_unit is not None and analyte.units.get(quantity.second_unit) != analyte.units[unit]:
        return Canonical(None, None, "unit-mismatch")
    low = analyte.convert(quantity.low, unit) if quantity.low is not None else None
    if quantity.high is quantity.low:
        high = low
    else:
        high = analyte.convert(quantity.high, unit) if quantity.high is not None else None
    for limit in (low, high):
        if limit is not None and not analyte.is_plausible(limit):
            if quantity.unit is None and unit != "1" and "1" in analyte.units:
                return to_canonical(replace(quantity, unit="1"), analyte, property_)  # "LVEF 0.32"
            return Canonical(None, None, "implausible")
    return Canonical(low, high, None)


class Range(Struct, frozen=True):
    low: Decimal | None
    high: Decimal | None


class _Populations(NamedTuple):
    normal: frozenset[str]
    sexes: tuple[tuple[str, frozenset[str]], ...]
    years: tuple[str, ...]
    adult_from: int
    adults: frozenset[str]


@cache
def _populations() -> _Populations:
    data = read_table(Ranges)
    sexes = tuple((sex, frozenset(signs)) for sex, signs in data.sexes.items())
    grown = data.adults
    return _Populations(frozenset(data.normal), sexes, data.years, grown.from_, frozenset(grown.words))


def choose_range(
    ranges: object, quantity: Quantity, analyte: Analyte | None, table: UnitTable, age: tuple[int, int] | None, sex: str
) -> Range | None:
    """The laboratory's normal range that fits this patient and this unit, in the result's own unit."""
    fitting = []
    for entry in ranges if isinstance(ranges, list) else ():
        if isinstance(entry, Mapping) and (entry.keys() <= _FOR_ALL or _fits(entry, age, sex)):
            found = _limits(_of_adults(entry, age), quantity, analyte, table)
            if found is not None and analyte is not None:
                found = _above_nothing(found, analyte)
            if found is not None and _possible(found, quantity, analyte):
                fitting.append(found)
    return fitting[0] if fitting and all(f == fitting[0] for f in fitting) else None


_FOR_ALL = frozenset({"low", "high", "text"})
"""a range that says no more is the normal one, of everybody."""


def _fits(entry: Mapping[str, Any], age: tuple[int, int] | None, sex: str) -> bool:
    return _is_normal(entry) and _fits_age(entry, age) and _fits_sex(entry, sex)


def _above_nothing(found: Range, analyte: Analyte) -> Range | None:
    """A lower limit of nothing, where no human has nothing, is an empty field and bounds nothing: calcium of 1.9 mmol/L
    is not normal by "0–2.57". An upper limit of nothing is none either."""
    if analyte.plausible is None or analyte.plausible[0] <= 0:
        return found
    if found.low is not None and found.low <= 0:
        found = Range(None, found.high)
    if found.high is not None and found.high <= 0:
        found = Range(found.low, None)
    return None if found.low is None and found.high is None else found


def _possible(found: Range, quantity: Quantity, analyte: Analyte | None) -> bool:
    """Limits that no human can have in this unit belong to another unit, which the laboratory did not name."""
    unit = quantity.unit
    if analyte is None or unit is None or unit not in analyte.units:
        return True
    limits = [analyte.convert(limit, unit) for limit in (found.low, found.high) if limit is not None and limit > 0]
    return all(limit is None or analyte.is_plausible(limit) for limit in limits)


def _of_adults(entry: Mapping[str, Any], age: tuple[int, int] | None) -> Mapping[str, Any]:
    """A range whose text opens with a word for adults ("Adult: 8.5-10.5") is that of one who surely is one."""
    text = entry.get("text")
    if age is None or age[0] < _populations().adult_from or not isinstance(text, str):
        return entry
    opening, colon, rest = text.partition(":")
    return {**entry, "text": rest} if colon and opening.strip().lower() in _populations().adults else entry


def _is_normal(entry: Mapping[str, Any]) -> bool:
    codes = {code.strip().lower() for code in _codes(entry.get("type"))}
    return not codes or bool(codes & _populations().normal)


def _fits_age(entry: Mapping[str, Any], age: tuple[int, int] | None) -> bool:
    limits = entry.get("age")
    if not isinstance(limits, Mapping):
        return True
    if age is None:
        return False
    low, high = (number(_value(limits.get(side))) for side in ("low", "high"))
    for side in ("low", "high"):
        limit = limits.get(side)
        unit = (limit.get("code") or limit.get("unit")) if isinstance(limit, Mapping) else None
        if unit is not None and unit not in _populations().years:
            return False
    return (low is None or age[0] >= low) and (high is None or age[1] <= high)


def _fits_sex(entry: Mapping[str, Any], sex: str) -> bool:
    applies = entry.get("appliesTo")
    codes = {c.lower() for item in (applies if isinstance(applies, list) else ()) for c in _codes(item)}
    for named, signs in _populations().sexes:
        if codes & signs:
            return sex == named
    return not codes  # a population that we can't tell this patient to be of


def _limits(entry: Mapping[str, Any], quantity: Quantity, analyte: Analyte | None, table: UnitTable) -> Range | None:
    found = []
    for side in ("low", "high"):
        limit = read_quantity(entry.get(side), table)
        found.append(_in_unit(limit, quantity, analyte) if limit is not None else None)
        if limit is not None and found[-1] is None:
            return None
    if found == [None, None]:
        text = entry.get("text")
        return parse_range(text, quantity, analyte, table) if isinstance(text, str) else None
    return _ordered(found[0], found[1])


def _ordered(low: Decimal | None, high: Decimal | None) -> Range | None:
    """A range whose limits stand the wrong way round is no range."""
    return None if low is not None and high is not None and low > high else Range(low, high)


def _in_unit(limit: Quantity, quantity: Quantity, analyte: Analyte | None) -> Decimal | None:
    value = limit.low if limit.low is not None else limit.high
    if value is None or limit.unit == quantity.unit or (limit.unit is None and limit.unit_text is None):
        return value
    if analyte is None or limit.unit is None or quantity.unit is None:
        return None
    canonical, one = analyte.convert(value, limit.unit), analyte.convert(Decimal(1), quantity.unit)
    return _bare((canonical / one).quantize(_PRECISION)) if canonical is not None and one else None


class _Patterns(NamedTuple):
    opening: re.Pattern[str]
    """what calls the figures behind it a range, in small letters without accents."""
    range: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    common = load_common()
    names = {word.strip(".") for name in (*common.range_names, *common.range_signs) for word in name.split()}
    letters = rf"(?:{either(common.range_letters)})(?=\s?[:=]|\s\d)"
    limit = r"\d{1,7}(?:[.,]\d{1,6})?"
    return _Patterns(
        re.compile(rf"\s*[\[(]?\s*(?:(?:{letters}|{either(names, common.range_words)})(?![^\W\d_])\.?\s*)*[:=]?\s*"),
        re.compile(
            rf"\s*(?P<low>{limit})\s*(?:-|–|—|−|~|{either(common.numbers.limits)})\s*(?P<high>{limit})\s*"
            r"(?P<unit>\D.{0,24})?\s*"
        ),
    )


def parse_range(text: str, quantity: Quantity, analyte: Analyte | None, table: UnitTable) -> Range | None:
    """A range that a text is wholly ("8.5 - 10.2 mg/dL", "(2,15–2,55)", "Ref: <10.2"), in the result's own unit."""
    opening = _patterns().opening.match(fold(text))
    bare = text[opening.end() if opening else 0 :].strip().removesuffix(")").removesuffix("]").strip()
    if quantity.unit == _COUNTED:
        bare = _THOUSANDS.sub(r"\1\2", bare)
    match = _patterns().range.fullmatch(bare)
    if match is not None:
        limits = [_limit(match[side], match["unit"], quantity, analyte, table) for side in ("low", "high")]
        return _ordered(limits[0], limits[1]) if None not in limits else None
    match = _ONE_SIDED.fullmatch(bare)
    if match is None:
        return None
    only = _limit(match["number"], match["unit"], quantity, analyte, table)
    if only is None:
        return None
    return Range(None, only) if match["comparator"][0] in "<≤" else Range(only, None)


def _limit(
    written: str, unit_text: str | None, quantity: Quantity, analyte: Analyte | None, table: UnitTable
) -> Decimal | None:
    said = (unit_text or "").strip()
    unit = table.unit(said) if said else quantity.unit
    limit = number(written.replace(",", "."))
    if limit is None or (unit is None and said):
        return None
    return _in_unit(Quantity(limit, limit, None, unit, said or None), quantity, analyte)


def _value(quantity: object) -> object:
    return quantity.get("value") if isinstance(quantity, Mapping) else None


def _codes(concept: object) -> Iterable[str]:
    if isinstance(concept, Mapping):
        codings = concept.get("coding")
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, Mapping) and isinstance(coding.get("code"), str):
                yield coding["code"]
        if isinstance(concept.get("text"), str):
            yield concept["text"]
