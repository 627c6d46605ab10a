"""Dates in words that nobody can misread: "12 May 2026", never 12/05/26."""

from __future__ import annotations

import re
from datetime import date

from mappings.dates import PartialDate

_DAYS_TOLD, _MONTHS_TOLD = 60, 730
"""up to so many days ago an onset is told to the day, and to the month; beyond, to the year."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ISO = re.compile(r"(?<![\w/.-])(\d{4})-(\d{2})(?:-(\d{2}))?(?:/(\d{4})-(\d{2})-(\d{2}))?(?![\w/.-]*\w)")


def in_words(when: PartialDate | str | None) -> str | None:
    """A partial date, or its text form ("2026-05-12", "2026-05", "2026", "first/last"); None stays None."""
    if when is None:
        return None
    text = str(when)
    first, _, last = text.partition("/")
    return f"{_one(first)} to {_one(last)}" if last else _one(first)


def as_roughly_as_said(onset: PartialDate, today: date) -> str:
    """An onset counted back from "for 15 years" is a year, from "for 8 months" a month: never a day nobody named."""
    age = (today - onset.latest).days
    shown = onset.latest.isoformat()
    if onset.earliest != onset.latest or age <= _DAYS_TOLD:
        return str(onset)
    return shown[:4] if age > _MONTHS_TOLD else shown[:7]


def dates_in_words(sentence: str) -> str:
    """Every ISO date of a sentence in words."""
    if "-" not in sentence:
        return sentence
    return _ISO.sub(lambda match: in_words(match[0]) or match[0], sentence)


def _one(text: str) -> str:
    parts = text.split("-")
    if len(parts) == 1 or not all(part.isdigit() for part in parts):
        return text
    month = int(parts[1])
    if not 1 <= month <= len(_MONTHS):
        return text
    name = f"{_MONTHS[month - 1]} {parts[0]}"
    return f"{int(parts[2])} {name}" if len(parts) > 2 else name
