"""Whether a figure of a test stands behind the letters that are short for it. In notes without capitals "ca 9.3 mg/dl"
is a calcium, "hr 44," and "p 44 reg" are pulses, where "ca 3 cm", "ca 9," and "hr 2" are none."""

from __future__ import annotations

import re
from decimal import Decimal

from mappings.text.common import load_common
from mappings.units import Analyte, load_units

_LINK = r"\s{0,2}(?:[:=]|(?:of|is|was|de|es|est|à|a)(?=\s))?\s{0,2}"
_FIGURE = re.compile(
    _LINK + r"[<>]?(\d{1,4}(?:[.,]\d{1,3})?)\s?([%a-zµμ/x](?:[\w/%.^*²³µμ]|,(?=\d)){0,20})", re.IGNORECASE
)
_BARE = re.compile(_LINK + r"(\d{1,3})(?=\s{0,2}(?:[,;.)|\n]|$|[a-z][a-z0-9]{0,4}\s\d))(?!\.\d)", re.IGNORECASE)
"""before a sign, or before the next of a row: "hr 44 bp 118/70"."""
_PAIR = re.compile(_LINK + r"(?:\d{2,3}\s?[/x]\s?\d{2,3}|\d{1,2}[.,]\d/\d{1,2})(?![\d/.,]\d)", re.IGNORECASE)


def is_measured(analyte: str, text: str, end: int) -> bool:
    """`end`: where the letters end in the text."""
    if analyte == load_common().results.pressure:
        return _PAIR.match(text, end) is not None
    known = load_units().analytes.get(analyte)
    if known is None:
        return False
    figure = _FIGURE.match(text, end)
    if figure is not None:
        unit, value = figure[2].rstrip(".").lower(), _number(figure[1])
        if fits(known, value, unit) or (analyte in _pulse_letters() and unit in load_common().pulse.units):
            return True
    bare = _BARE.match(text, end) if known.unit_optional else None
    return bare is not None and _is_bare(known, Decimal(bare[1]))


def _is_bare(analyte: Analyte, value: Decimal) -> bool:
    """Whether a figure without a unit can be the test's: a pulse, an eGFR, an ejection fraction often have none."""
    pulse = load_common().pulse
    return pulse.least <= value <= pulse.most if analyte.id == pulse.analyte else analyte.is_plausible(value)


def _pulse_letters() -> tuple[str, str]:
    """The tests whose letters a pulse shares ("p 44 reg")."""
    pulse = load_common().pulse
    return pulse.instead_of, pulse.interval


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def fits(analyte: Analyte, value: Decimal, unit: str) -> bool:
    """Whether a value in this unit can be a result of the test."""
    name = load_units().unit(f"x{unit}" if unit[0].isdigit() else unit)
    if name is None:
        return False
    canonical = analyte.convert(value, analyte.aliases.get(name, name))
    return canonical is not None and analyte.is_plausible(canonical)
