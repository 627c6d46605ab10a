"""Daily doses: from the structured dosage, else from the sig, else from the drug's own text. Exact, or nothing.

The words of frequency and of routes are data (`mappings/data/dosage.yaml`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from mappings.data_schema import read_table
from mappings.drug_tables import Dosage
from mappings.reader.access import Concept, codes, concept, items, mapping, text
from mappings.text.common import either, load_common
from mappings.text.folding import fold
from mappings.values import number

_THOUSANDS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_UNITS = "IU"
_HALF = Decimal("0.5")
_APART = re.compile(r"\s*[,;:–-]\s*")
_NAMED = re.compile(r"[^\W\d_]{4,}\W*\Z")
"""the name of a drug, or a word as long, that ends right before its strength"""
_TIMES_A_DAY = re.compile(r"(?:x|×|\*)\s*(\d)\s*/\s*d", re.IGNORECASE)


class _Words(NamedTuple):
    amount: re.Pattern[str]
    counted: re.Pattern[str]
    single: re.Pattern[str]
    counts: Mapping[str, Decimal]
    taken: frozenset[str]
    of_one: re.Pattern[str]
    told: re.Pattern[str]
    frequencies: tuple[tuple[re.Pattern[str], Decimal], ...]
    named_periods: Mapping[str, Decimal]
    """how many days it has, by what it is called."""
    per_day: Mapping[str, Decimal]
    units: Mapping[str, tuple[str, Decimal]]
    delayed_release: re.Pattern[str]
    infused: tuple[str, ...]
    routes: tuple[tuple[str, tuple[str, ...]], ...]
    routes_by_atc: Mapping[str, str]


@cache
def _words() -> _Words:
    data, numbers = read_table(Dosage), load_common().numbers
    number, forms = rf"(?:\d(?:[.,]5)?|{either(data.counts)})", f"(?:{'|'.join(data.forms)})"
    several = rf"(?:{number}\s?(?:-|–|{either(numbers.limits, numbers.alternatives)})\s?)?(?P<{{}}>½|(?:1/2)|{number})"
    before, behind = several.format("before"), several.format("behind")
    per_day = {unit: Decimal(times) / Decimal(days) for unit, (times, days) in data.periods.items()}
    named = [(unit, name) for unit, names in data.named_periods.items() for name in names]
    named += [("d", name) for name in numbers.day]
    return _Words(
        re.compile(
            r"(?P<amount>\d{1,6}(?:[.,]\d{1,3})?)\s*(?P<unit>mg|g|µg|mcg|ug|iu|ie|ui|unt|units?)\b"
            rf"(?:\s*(?:{either(numbers.per, data.per)})\s*(?P<per>{either(name for _, name in named)})\b)?",
            re.IGNORECASE,
        ),
        re.compile(rf"\b(\d(?:[.,]5)?)\s*(?:{either(data.counted)})", re.IGNORECASE),
        re.compile(rf"\b(?:{either(data.single)})\b", re.IGNORECASE),
        data.counts | {"½": _HALF, "1/2": _HALF},
        frozenset(data.taken),
        re.compile(rf"[\s.-]*(?:{either(data.described)}|\s)*{forms}", re.IGNORECASE),
        re.compile(
            rf"\b(?:{'|'.join(data.taken)})\s+{before}(?!\s?(?:mg|g|µg|mcg)\b)(?![\w.,/])|(?<![\w.,/]){behind}\s?(?:{either(data.articles)}\s)?{forms}",
            re.IGNORECASE,
        ),
        tuple(
            (re.compile(rf"\b(?:{pattern})(?!\w)", re.IGNORECASE), Decimal(times) / Decimal(days))
            for times, days, pattern in data.frequencies
        ),
        {_bare(name): Decimal(data.periods[unit][1]) / data.periods[unit][0] for unit, name in named},
        per_day,
        data.units,
        re.compile(rf"\b(?:{either(data.delayed_release)})\b", re.IGNORECASE),
        data.infused,
        tuple(data.routes.items()),
        data.routes_by_atc,
    )


def _bare(period: str) -> str:
    return fold(period).replace(" ", "")


def is_delayed(name: str) -> bool:
    """Whether a drug is called one that is released behind the stomach only."""
    return _words().delayed_release.search(name) is not None


def is_infused(words: str) -> bool:
    """Whether the words of a dosage tell of an infusion."""
    return any(word in words.lower() for word in _words().infused)


def routes() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Routes with the words and codes that name them, the narrower first."""
    return _words().routes


def route_of_atc(code: str) -> str | None:
    """The route of an ATC code that is of local forms only ("D11AH01": of the skin)."""
    return next((route for group, route in _words().routes_by_atc.items() if code.startswith(group)), None)


def daily_dose(dosage: Mapping[str, Any], words: str, name: Concept) -> tuple[Decimal | None, str | None]:
    """(amount a day, unit) from the structured dosage, else from the sig and then the drug's own text; None if open."""
    for entry in items(dosage.get("doseAndRate") or [dosage]):
        quantity = mapping(mapping(entry).get("doseQuantity") or mapping(mapping(entry).get("doseRange")).get("high"))
        amount = number(quantity.get("value"))
        unit = _unit(quantity)
        per_day = _frequency(mapping(dosage.get("timing"))) or _worded_frequency(words)
        if amount is not None and unit is not None and per_day is not None:
            return amount * unit[1] * per_day, unit[0]
        if amount is not None and unit is None and per_day is not None:
            strength, strength_unit = strength_of({}, " ".join(name.texts))
            if strength is not None:
                return amount * strength * per_day, strength_unit
    for sentence in (words, *name.texts):
        found = _worded(sentence, " ".join(name.texts))
        if found[0] is not None:
            return found
    return None, None


def _worded(sentence: str, name: str) -> tuple[Decimal | None, str | None]:
    match = _words().amount.search(sentence)
    frequency = _worded_frequency(sentence)
    if match is None:
        strength, unit = strength_of({}, name)
        told, tablets = _words().told.search(sentence), _words().counted.search(sentence)
        if strength is not None and frequency is not None and (told or tablets or _words().single.search(sentence)):
            count = _count(told) if told else Decimal(tablets[1].replace(",", ".")) if tablets else Decimal(1)
            return strength * count * frequency, unit
        return None, None
    amount, unit_name = _amount(match)
    amount *= _pieces(sentence, match)
    if match["per"]:
        return amount / _words().named_periods[_bare(match["per"])], unit_name
    times = _TIMES_A_DAY.search(sentence)
    if times:
        return amount * Decimal(times[1]), unit_name
    return (amount * frequency, unit_name) if frequency is not None else (None, None)


def _pieces(sentence: str, strength: re.Match[str]) -> Decimal:
    """How many at a time, where the amount is the strength of one: "5mg tablets - take SIX in the morning", "20 mg, two
    tablets daily", "simvastatin 20 mg two tablets nightly"; not "40 mg (2 tablets)", "take 40 mg 2 tablets"."""
    behind = _words().told.search(sentence, strength.end())
    of_one = _words().of_one.match(sentence, strength.end())
    between = sentence[strength.end() : behind.start()] if behind else ""
    name = _NAMED.search(sentence[: strength.start()]) if between.isspace() else None
    named = name is not None and name[0].strip().lower() not in _words().taken
    if not of_one and not (behind and (named or _APART.fullmatch(between))):
        return Decimal(1)
    told = behind or _words().told.search(sentence[: strength.start()])
    return _count(told) if told else Decimal(1)


def _count(told: re.Match[str]) -> Decimal:
    said = (told["before"] or told["behind"]).lower()
    return _words().counts.get(said) or Decimal(said.replace(",", "."))


def _worded_frequency(words: str) -> Decimal | None:
    for pattern, per_day in _words().frequencies:
        if pattern.search(words):
            return per_day
    return None


def _frequency(timing: Mapping[str, Any]) -> Decimal | None:
    repeat = mapping(timing.get("repeat"))
    period, unit = number(repeat.get("period")), _words().per_day.get(str(repeat.get("periodUnit")))
    frequency = number(repeat.get("frequencyMax", repeat.get("frequency", 1)))
    if period and unit is not None and frequency is not None:
        return frequency / period * unit
    return _worded_frequency(" ".join(concept(timing.get("code")).texts + tuple(codes(timing.get("code")))))


def _unit(quantity: Mapping[str, Any]) -> tuple[str, Decimal] | None:
    """What the amount of a dose is counted in, and its size; None for tablets and what nobody listed."""
    return _words().units.get((text(quantity.get("code")) or text(quantity.get("unit")) or "").strip().lower())


def strength_of(dosage: Mapping[str, Any], words: str) -> tuple[Decimal | None, str | None]:
    """Amount and unit (mg or IU) of one dose: from the structured dose, else from the words; (None, None) without
    one."""
    for entry in items(dosage.get("doseAndRate") or ([dosage] if dosage else [])):
        quantity = mapping(mapping(entry).get("doseQuantity"))
        unit = _unit(quantity)
        amount = number(quantity.get("value"))
        if amount is not None and unit is not None:
            return amount * unit[1], unit[0]
    found = [_amount(match) for match in _words().amount.finditer(words)]
    if not found:
        return None, None
    # "1.25 MG (50000 UNT)": who tells units as well means them
    return next((each for each in found if each[1] == _UNITS), found[0])


def _amount(match: re.Match[str]) -> tuple[Decimal, str]:
    """Amount and unit. "50,000 units" and "20.000 IE" are thousands: nobody prescribes thousandths of a unit."""
    unit_name, factor = _words().units[match["unit"].lower()]
    written = match["amount"]
    if unit_name == _UNITS and _THOUSANDS.fullmatch(written):
        written = written.replace(",", "").replace(".", "")
    return Decimal(written.replace(",", ".")) * factor, unit_name
