"""One line of a chart table -> its fields, told apart by their shape (the grammar is in `charts.py`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from cds_service.sandbox.vocabulary import SYSTEMS
from mappings.dates import add_months


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KINDS = _words(
    "patient condition laboratory vital exam observation imaging pathology report procedure medication statement "
    "allergy order bp resource"
)
KEYS = _words(
    "id subject status category site sitecode note tag security updated flag specimen method reason route intent "
    "display without name"
)
DATE_WORDS = _words("onset recorded ended issued updated born started")
CLINICAL = _words("active recurrence relapse inactive remission resolved")
VERIFICATION = _words("confirmed provisional suspected differential unconfirmed refuted entered-in-error")
STATUS = _words(
    "final preliminary amended corrected cancelled registered completed stopped on-hold draft revoked in-progress "
    "not-done unknown"
)
WORDS = _words("severe mild moderate deceased nocode synthetic female male other")

_DATE = re.compile(
    r"(?:(?P<word>[a-z]+)\s+)?(?P<rough>~)?(?:(?P<today>today)|(?P<amount>[+-]\d+)(?P<unit>d|w|mo|y)"
    r"|(?P<iso>\d{4}(?:-\d{2}(?:-\d{2}(?:T\S+)?)?)?))"
)
_CODE = re.compile(r"(?:(?P<system>[A-Z0-9]+):(?P<code>\S+)|(?P<icd>[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?))")
_AGE = re.compile(r"(\d+)\s*y")
_NUMBER = r"[-−]?\d+(?:\.\d+)?"
_QUANTITY = re.compile(
    rf"(?P<comparator>[<>]=?|[≤≥])?\s*(?P<value>{_NUMBER})\s*(?P<unit>[^\s\[\]|]+)?"
    rf"(?:\s*\[\s*(?P<low>{_NUMBER})?\s*[–-]\s*(?P<high>{_NUMBER})?\s*(?P<range_unit>[^\s\[\]]+)?\s*\])?"
    r"(?:\s+(?P<flag>N|H|L|HH|LL|A))?"
)
_PRESSURE = re.compile(r"(\d{2,3})/(\d{2,3})")
_DOSE = re.compile(
    r"(?P<value>\d+(?:\.\d+)?)\s*(?P<unit>[a-zA-Zµ]+)\s*(?:x\s*(?P<times>\d+)\s*)?/\s*(?P<period>d|wk|mo|h)"
)
_COMPARATORS = {"≤": "<=", "≥": ">="}


class ChartError(ValueError):
    """A line of a chart table can't be read; the text quotes it (tables are our own data, never a patient's)."""


@dataclass(frozen=True, slots=True)
class Quantity:
    value: Decimal
    unit: str | None = None
    comparator: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    range_unit: str | None = None
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class Dose:
    value: Decimal
    unit: str
    times: int
    period: str


@dataclass(frozen=True, slots=True)
class When:
    """A date as the table writes it; `on` gives the FHIR text for a chart of that day."""

    amount: int = 0
    unit: str = "d"
    rough: bool = False
    iso: str | None = None

    def on(self, today: date, *, clock: bool = False) -> str:
        if self.iso is not None:
            return self.iso
        if self.unit in ("d", "w"):
            day = today + timedelta(days=self.amount * (7 if self.unit == "w" else 1))
        else:
            day = add_months(today, self.amount * (12 if self.unit == "y" else 1))
        if self.rough:
            return f"{day.year:04d}" if self.unit == "y" else f"{day.year:04d}-{day.month:02d}"
        return f"{day.isoformat()}T09:00:00Z" if clock else day.isoformat()


@dataclass(slots=True)
class Row:
    line: str
    kind: str
    name: str
    codes: list[tuple[str, str]] = field(default_factory=list)
    dates: dict[str, When] = field(default_factory=dict)
    """by word; the date without a word is under ""."""
    words: set[str] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    quantity: Quantity | None = None
    dose: Dose | None = None
    pressure: tuple[int, int] | None = None
    age: int | None = None


def parse_row(line: str) -> Row:
    """Reads one line; ChartError says what is wrong with it."""
    kind, bar, rest = line.strip().partition("|")
    kind = kind.strip().lower()
    if kind not in KINDS:
        raise ChartError(f"unknown kind in chart line: {line.strip()!r}")
    if kind == "resource":
        return Row(line.strip(), kind, rest.strip())
    fields = [part.strip() for part in rest.split("|")] if bar else []
    row = Row(line.strip(), kind, "")
    if kind == "patient":
        rest_fields = fields
    elif kind == "bp":
        row.name, rest_fields = "Blood pressure", fields
    elif fields and _CODE.fullmatch(fields[0]):  # a code alone: a coding without words
        row.name, rest_fields = "", fields
    elif fields and fields[0]:
        row.name, rest_fields = fields[0], fields[1:]
    else:
        raise ChartError(f"no name in chart line: {row.line!r}")
    for text in rest_fields:
        if text:
            _take(row, text)
    return row


def _take(row: Row, text: str) -> None:
    key, equals, value = text.partition("=")
    if equals and key.strip() in KEYS:
        row.keys[key.strip()] = value.strip()
    elif text in CLINICAL or text in VERIFICATION or text in STATUS or text in WORDS:
        row.words.add(text)
    elif (
        (match := _DATE.fullmatch(text))
        and (match["word"] or "onset") in DATE_WORDS
        and not _is_plain_number(row, text)
    ):
        row.dates[match["word"] or ""] = _when(match)
    elif row.kind == "patient" and (match := _AGE.fullmatch(text)):
        row.age = int(match[1])
    elif match := _CODE.fullmatch(text):
        if match["system"] and match["system"] not in SYSTEMS:
            raise ChartError(f"unknown code system {match['system']!r} in chart line: {row.line!r}")
        row.codes.append((match["system"] or "ICD10CM", match["code"] or match["icd"]))
    elif row.kind in ("medication", "statement") and (match := _DOSE.fullmatch(text)):
        row.dose = Dose(Decimal(match["value"]), match["unit"], int(match["times"] or 1), match["period"])
    elif row.kind in ("bp", "vital") and (match := _PRESSURE.fullmatch(text)):
        row.pressure = (int(match[1]), int(match[2]))
    elif row.kind in ("laboratory", "vital", "observation") and (match := _QUANTITY.fullmatch(text)):
        row.quantity = _quantity(match)
    else:
        row.texts.append(text)


def _is_plain_number(row: Row, text: str) -> bool:
    """A bare "2024" is a value in a laboratory row and a year elsewhere."""
    return row.kind in ("laboratory", "vital") and text.isdigit()


def _when(match: re.Match[str]) -> When:
    if match["iso"]:
        return When(iso=match["iso"])
    if match["today"]:
        return When()
    return When(int(match["amount"]), match["unit"], bool(match["rough"]))


def _quantity(match: re.Match[str]) -> Quantity:
    def number(name: str) -> Decimal | None:
        return Decimal(match[name].replace("−", "-")) if match[name] else None

    comparator = match["comparator"]
    return Quantity(
        number("value") or Decimal(0),
        match["unit"],
        _COMPARATORS.get(comparator, comparator) if comparator else None,
        number("low"),
        number("high"),
        match["range_unit"],
        match["flag"],
    )
