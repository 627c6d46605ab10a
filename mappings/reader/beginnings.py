"""When something began, by the words of a note and the day of that note."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from mappings.dates import PartialDate
from mappings.text.reading import TimeSpan

_EASTER = "easter"


def started(span: TimeSpan | None, note: PartialDate | None) -> PartialDate | None:
    """The date an onset phrase means, counted back from the day of the note."""
    if span is None:
        return None
    if span.date_text and span.recurring:  # "Easter 2024"
        return _in_year(span.recurring, int(span.date_text))
    if span.date_text:
        return PartialDate.parse(span.date_text)
    if note is None:
        return None
    if span.recurring:
        return _latest(span.recurring, note.latest)
    if span.amount is None or span.unit is None:
        return None
    if span.up_to is not None:
        return PartialDate(_before(note, span.up_to, span.unit).earliest, _before(note, span.amount, span.unit).latest)
    return _before(note, span.amount, span.unit)


def _before(note: PartialDate, amount: Decimal, unit: str) -> PartialDate:
    if unit == "year":
        return note.back(months=int(amount * 12))
    if unit == "month":
        whole = int(amount)
        return note.back(months=whole, days=int((amount - whole) * 30))
    return note.back(days=int(amount * (7 if unit == "week" else 1)))


def _latest(name: str, day: date) -> PartialDate | None:
    """The last month ("02"), day ("12-25") or "easter" that had begun by a day."""
    for year in (day.year, day.year - 1):
        found = _in_year(name, year)
        if found is not None and found.earliest <= day:
            return found
    return None


def _in_year(name: str, year: int) -> PartialDate | None:
    if name.startswith(_EASTER):  # carnival and Whitsun are counted from it
        return PartialDate.parse((easter(year) + timedelta(days=int(name.removeprefix(_EASTER) or 0))).isoformat())
    return PartialDate.parse(f"{year:04d}-{name}")


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm, Nature 1876)."""
    century, rest = divmod(year, 100)
    moon = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (year % 19 + 11 * moon + 22 * weekday) // 451
    month, days = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, days + 1)
