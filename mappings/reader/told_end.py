"""When a drug of a note was stopped, and what takes back that it is taken: "finished Paxlovid 5 days ago", "on
methotrexate in 2018", "on OCP? no"."""

from __future__ import annotations

import re
from functools import cache

from mappings.data_schema import read_table
from mappings.dates import PartialDate
from mappings.drug_tables import Taking
from mappings.text.common import either, load_common
from mappings.text.folding import fold

_ASKED = re.compile(r"\s?\?\s?(\w+)")


def ended(text: str, behind: int, until: int, told: PartialDate) -> PartialDate | None:
    """The day on which it was stopped, where that stands behind the drug: so many days or weeks ago, or a day of a
    month, of the year before the note."""
    since = _since().match(text, behind, until)
    if since is not None:
        number, unit = next((n, u) for n, u in (since.group(1, 2), since.group(3, 4)) if n)
        return told.back(days=_count(number) * _days()[unit])
    named = _day().match(text, behind, until)
    if named is None:
        return None
    month = _months()[named["month"]]
    day = named["day"]
    for year in (told.latest.year, told.latest.year - 1):
        found = PartialDate.parse(f"{year}-{month:02}-{int(day):02}")
        if found is not None and found.earliest <= told.latest:
            return found
    return None


def taken_back(text: str, first: int, behind: int, until: int, told: PartialDate) -> bool:
    """ "on OCP? no"; "on methotrexate in 2018", of a year that is over; not "switched to apixaban in 2021"."""
    asked = _ASKED.match(text, behind)
    if asked is not None and asked[1] in load_common().asked.denying:
        return True
    in_year, on = _of_a_year()
    year = in_year.match(text, behind, until)
    return year is not None and int(year[1]) < told.latest.year and on.search(text, 0, first) is not None


def is_month(text: str, first: int, last: int) -> bool:
    """Whether a word is the month of a day ("May 12"), and no verb."""
    return text[first:last] in _months() and _day_of_month().match(text, last) is not None


@cache
def _days() -> dict[str, int]:
    """How many days a unit of time has."""
    return dict.fromkeys(read_table(Taking).days, 1) | dict.fromkeys(read_table(Taking).weeks, 7)


def _count(number: str) -> int:
    """A number in figures or spelled out."""
    return _spelled()[number] if number in _spelled() else int(number)


@cache
def _spelled() -> dict[str, int]:
    """One to nine as words, without accents."""
    return {fold(word): n for n, words in load_common().numbers.spelled.ones.items() for word in words}


@cache
def _since() -> re.Pattern[str]:
    """ "5 days ago", and "hace 5 días" in languages that say so before the number."""
    data = read_table(Taking)
    number, unit = rf"(\d{{1,3}}|{either(_spelled())})", rf"({either((*data.days, *data.weeks))})"
    behind = rf"{number}\s?{unit}\s(?:{either(data.ago)})\b"
    before = rf"(?:{either(data.ago_before)})\s{number}\s{unit}\b"
    return re.compile(rf"\W*(?:\w+\W+){{0,3}}?(?:{behind}|{before})")


@cache
def _of_a_year() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """ "in 2018", and "on" before the drug where nobody was put on it then."""
    data = read_table(Taking)
    begun = "".join(rf"(?<!\b{re.escape(word)} )" for word in data.begun_on)
    return (
        re.compile(rf"\s+(?:{either(data.in_year)})\s+((?:19|20)\d\d)\b"),
        re.compile(rf"{begun}\b(?:{either(data.being_on)})\s$"),
    )


@cache
def _day_of_month() -> re.Pattern[str]:
    """A day, and no dose."""
    return re.compile(rf"\s[0-3]?\d(?![\d.,/]|\s?(?:{either(read_table(Taking).masses)})\b)")


@cache
def _months() -> dict[str, int]:
    return {word: int(number) for number, words in load_common().numbers.months.items() for word in words}


@cache
def _day() -> re.Pattern[str]:
    months, on = either(_months()), either(read_table(Taking).on_day)
    return re.compile(rf"\s(?:(?:{on})\s)?(?:(?P<month>{months})\.?\s(?P<day>[0-3]?\d)(?:st|nd|rd|th)?)(?![\d:])")
