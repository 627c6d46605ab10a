"""When a drug of a note was stopped, and what takes back that it is taken: "finished Paxlovid 5 days ago", "on
methotrexate in 2018", "on OCP? no"."""

from __future__ import annotations

import re
from functools import cache

from mappings.data_schema import read_table
from mappings.dates import PartialDate
from mappings.drug_tables import Taking
from mappings.text.common import either, load_common

_DAY_OF_MONTH = re.compile(r"\s[0-3]?\d(?![\d.,/]|\s?(?:mg|mcg|g)\b)")
_ASKED = re.compile(r"\s?\?\s?(\w+)")
_ON = re.compile(r"(?<!put )(?<!started )(?<!placed )\b(?:on|sous|unter)\s$")
_YEAR = re.compile(r"\s+(?:in|en|em|im jahr)\s+((?:19|20)\d\d)\b")


def ended(text: str, behind: int, until: int, told: PartialDate) -> PartialDate | None:
    """The day on which it was stopped, where that stands behind the drug: so many days or weeks ago, or a day of a
    month, of the year before the note."""
    since = _since().match(text, behind, until)
    if since is not None:
        number, unit = next((n, u) for n, u in (since.group(1, 2), since.group(3, 4)) if n)
        return told.back(days=int(number) * _days()[unit])
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
    year = _YEAR.match(text, behind, until)
    return (
        year is not None and int(year[1]) < told.latest.year and _ON.search(text, max(0, first - 12), first) is not None
    )


def is_month(text: str, first: int, last: int) -> bool:
    """Whether a word is the month of a day ("May 12"), and no verb."""
    return text[first:last] in _months() and _DAY_OF_MONTH.match(text, last) is not None


@cache
def _days() -> dict[str, int]:
    """How many days a unit of time has."""
    return dict.fromkeys(read_table(Taking).days, 1) | dict.fromkeys(read_table(Taking).weeks, 7)


@cache
def _since() -> re.Pattern[str]:
    """ "5 days ago", and "hace 5 días" in languages that say so before the number."""
    data = read_table(Taking)
    number, unit = r"(\d{1,3})", rf"({either((*data.days, *data.weeks))})"
    behind = rf"{number}\s?{unit}\s(?:{either(data.ago)})\b"
    before = rf"(?:{either(data.ago_before)})\s{number}\s{unit}\b"
    return re.compile(rf"\W*(?:\w+\W+){{0,3}}?(?:{behind}|{before})")


@cache
def _months() -> dict[str, int]:
    return {word: int(number) for number, words in load_common().numbers.months.items() for word in words}


@cache
def _day() -> re.Pattern[str]:
    months = either(_months())
    return re.compile(
        rf"\s(?:on\s|am\s|el\s|le\s|em\s)?(?:(?P<month>{months})\.?\s(?P<day>[0-3]?\d)(?:st|nd|rd|th)?)(?![\d:])"
    )
