"""Dates as the chart writes them: year, month, day or instant, kept as the interval of days they can mean.

A comparison is three-valued: it is "yes" only when it holds for every day of the interval (rule 2.4 and 2.9 of the
clinical specification: an incomplete date counts as its whole interval).
"""

from __future__ import annotations

import calendar
import re
from collections import deque
from collections.abc import Collection
from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from typing import Any, Literal, Self

from msgspec import Struct

Truth = Literal["yes", "possibly", "no"]

_FHIR_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?:[T ](?P<time>\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(?P<zone>Z|[+-]\d{2}:?\d{2})?)?)?)?"
)

_DIGITS = bytes.maketrans(b"0123456789", b"0000000000")
_USUAL = frozenset(
    {
        b"",
        b"0000-00-00",
        *(
            b"0000-00-00T00:00:00" + fraction + zone
            for fraction in (b"", b".000")
            for zone in (b"Z", b"+00:00", b"-00:00")
        ),
    }
)
"""how nearly every date is written, whichever digits it is of"""


_NO_INSTANT = datetime.min.replace(tzinfo=UTC)


class PartialDate(Struct, frozen=True):
    """The closed interval [earliest, latest] of calendar days; `instant` orders results of one day (UTC)."""

    earliest: date
    latest: date
    instant: datetime | None = None
    zone_missing: bool = False

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day, day)

    @classmethod
    def parse(cls, text: object) -> Self | None:
        """Reads a FHIR date, dateTime or instant; None for anything else (never raises)."""
        if type(text) is not str and not isinstance(text, str):
            return None
        found: Any = parsed(text) if len(text) <= _LONGEST else parsed.__wrapped__(text)
        return found  # type: ignore[no-any-return]

    def in_zone(self, zone: tzinfo) -> PartialDate:
        """A dateTime as the hospital would write it. One without a zone is placed in the hospital's, and its day stays
        as written; one with a zone is of the day that it was there. Midnight UTC is how systems write a day alone: it
        stays that day."""
        instant = self.instant
        if instant is None:
            return self
        try:
            if self.zone_missing:
                return PartialDate(self.earliest, self.latest, instant.replace(tzinfo=zone).astimezone(UTC))
            day = instant.astimezone(zone).date()
        except (ValueError, OverflowError):
            return self
        if day == self.earliest or (instant.time() == time.min and instant.date() == self.earliest):
            return self
        return PartialDate(day, day, instant)

    @property
    def exact(self) -> bool:
        return self.earliest == self.latest

    @property
    def sort_key(self) -> tuple[date, date, datetime]:
        """Orders by the latest possible day, then by instant; for choosing the newest result."""
        return (self.latest, self.earliest, self.instant or _NO_INSTANT)

    def on_or_after(self, day: date) -> Truth:
        return "yes" if self.earliest >= day else "no" if self.latest < day else "possibly"

    def within(self, first: date, last: date) -> Truth:
        """Whether the day lies in [first, last]."""
        if self.earliest >= first and self.latest <= last:
            return "yes"
        if self.latest < first or self.earliest > last:
            return "no"
        return "possibly"

    def back(self, *, months: int = 0, days: int = 0) -> PartialDate:
        """This date shifted into the past (an onset "4 months ago" in a note of this date)."""
        return PartialDate(
            _minus(add_months(self.earliest, -months), days),
            _minus(add_months(self.latest, -months), days),
        )

    def __str__(self) -> str:
        if self.exact:
            return self.earliest.isoformat()
        if self.earliest.month == 1 and self.latest.month == 12 and self.earliest.year == self.latest.year:
            return f"{self.earliest.year:04d}"
        if (self.earliest.year, self.earliest.month) == (self.latest.year, self.latest.month):
            return f"{self.earliest.year:04d}-{self.earliest.month:02d}"
        return f"{self.earliest.isoformat()}/{self.latest.isoformat()}"


_LONGEST = 64
"""characters of a date that is kept for the rest of its chart."""


@lru_cache(maxsize=4096)
def parsed(text: str) -> PartialDate | None:
    """As `PartialDate.parse`, of a text that is short."""
    if _is_usual_instant(text):
        try:
            stamp = datetime.fromisoformat(text)
            day = stamp.date()
            return PartialDate(day, day, stamp.astimezone(UTC))
        except (ValueError, OverflowError):
            pass  # 24:00, or no such day: the long way says
    return _any_form(text)


def _is_usual_instant(text: str) -> bool:
    """Whether the signs between the numbers are those of an instant to the second or millisecond with a zone, as
    nearly every one is written."""
    size = len(text)
    if size in (20, 25):
        return text[4::3] in ("--T::Z", "--T::+:", "--T::-:")
    return size in (24, 29) and text[4:20:3] == "--T::." and text[23::3] in ("Z", "+:", "-:")


def is_date(text: str) -> bool:
    """Whether `PartialDate.parse` can read it."""
    if _is_usual_instant(text):
        try:
            datetime.fromisoformat(text)
        except ValueError:
            pass  # 24:00, or no such day
        else:
            return True
    return _any_form(text) is not None


def unreadable_dates(written: Collection[str]) -> set[str]:
    """Those that `PartialDate.parse` can't read, or that are longer than any date. All that are written as nearly every
    date is are looked at at once."""
    if _USUAL.issuperset("\n".join(written).encode("utf-8", "replace").translate(_DIGITS).split(b"\n")):
        try:
            deque(map(datetime.fromisoformat, written), maxlen=0)
        except ValueError:
            pass  # 24:00, or no such day: one by one
        else:
            return set()
    return {text for text in written if len(text) > _LONGEST or not is_date(text)}


def _any_form(text: str) -> PartialDate | None:
    match = _FHIR_DATE.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, clock, zone = match.groups()
    try:
        if month is None:
            return PartialDate(date(int(year), 1, 1), date(int(year), 12, 31))
        if day is None:
            last = calendar.monthrange(int(year), int(month))[1]
            return PartialDate(date(int(year), int(month), 1), date(int(year), int(month), last))
        whole = date(int(year), int(month), int(day))
        if clock is None:
            return PartialDate(whole, whole)
        return PartialDate(whole, whole, _instant(match[0], clock), zone is None)
    except (ValueError, calendar.IllegalMonthError):
        return None


def forget_dates() -> None:
    """Lets go of the dates of a chart that has been read: they do not outlive their request."""
    parsed.cache_clear()


def add_months(day: date, months: int) -> date:
    """The same day `months` calendar months away (the month's last day when it is shorter); clipped to year 1."""
    index = day.year * 12 + day.month - 1 + months
    if index < 12:
        return date.min
    year, month = divmod(index, 12)
    if year > 9999:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _minus(day: date, days: int) -> date:
    """`days` earlier, clipped to the calendar."""
    return date.fromordinal(min(max(day.toordinal() - days, date.min.toordinal()), date.max.toordinal()))


def years_between(born: date, day: date) -> int:
    """Completed years of age on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _instant(written: str, clock: str) -> datetime | None:
    if clock.startswith("24:"):
        return None
    try:
        stamp = datetime.fromisoformat(written)
        return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
