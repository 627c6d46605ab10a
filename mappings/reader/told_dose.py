"""The daily dose of a drug in a note: "simvastatin 40 mg at night", "simva 40 qHS". One number alone, or none."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from mappings.data_schema import read_table
from mappings.drug_tables import Taking
from mappings.reader.access import Concept
from mappings.reader.dosage import daily_dose
from mappings.text.common import either

_BEHIND = re.compile(r"[^\w\n]{0,3}(\d{1,4}(?:[.,]\d{1,2})?)\s?(mg)?(?=[\s,;.)]|$)(?P<how>[^\n]*)")
_IN_NAME = re.compile(r"\s\d+\Z")
_FIGURE = re.compile(r"\d")
_CLAUSE = re.compile(r"[^\n,;.]*")
_BEFORE = 48
"""signs before a name in which a dose and what leads to it stand"""


_DOSE = r"\d{1,4}(?:[.,]\d{1,2})?\s?mg\s"


class _Words(NamedTuple):
    changed: re.Pattern[str]
    """right behind a drug, that its dose was changed"""
    now: re.Pattern[str]
    """the dose that holds now, behind another one"""
    before: re.Pattern[str]
    """the dose before a drug"""


@cache
def _words() -> _Words:
    data = read_table(Taking)
    return _Words(
        re.compile(rf"\s(?:{either(data.changed_to)})(?=\s\d)"),
        re.compile(rf"[,;]\s(?:{either(data.nowadays)})\s(\d{{1,4}})(?:\s?mg)?(?![\d.,/])"),
        re.compile(
            rf"(?<![\w.,/-])(?:(?:{either(data.verbs)})\s(?P<led>{_DOSE})|(?P<of>{_DOSE})(?:{either(data.dose_of)})\s?)\Z"
        ),
    )


def told_dose(text: str, first: int, last: int, end: int) -> tuple[Decimal | None, Decimal | None]:
    """(mg a day, mg at a time) of the words right behind the name of a drug at [first, last), or at the end of a name
    that is known with its dose only ("pred 30"). A number without a unit is one of mg. With another number ("10 -> 40")
    nothing is known."""
    named = _IN_NAME.search(text, first, last)
    words = _words()
    changed = words.changed.match(text, last, end)
    now = words.now.search(text, last, min(end, text.find("\n", last) % (len(text) + 1)))
    if now is not None and _FIGURE.search(text, named.start() if named else last, now.start()):
        return daily_dose({}, f"{now[1]} mg daily", Concept())[0], Decimal(now[1])
    match = _BEHIND.match(text, changed.end() if changed else named.start() if named else last, end)
    led = _words().before.search(text[max(0, first - _BEFORE) : first])
    if led is not None:
        return _before(led["led"] or led["of"], text, last, end)
    if match is None or _FIGURE.search(match["how"]):
        return None, None
    daily, unit = daily_dose({}, f"{match[1]} mg {match['how']}", Concept())
    return daily if unit == "mg" else None, Decimal(match[1].replace(",", "."))


def _before(led: str, text: str, last: int, end: int) -> tuple[Decimal | None, Decimal | None]:
    """The same of the dose before a name: "takes 40 mg of simvastatin at night"."""
    dose = led.split("mg")[0].strip()
    behind = _CLAUSE.match(text, last, end)
    how = behind[0] if behind else ""
    daily, unit = (None, None) if _FIGURE.search(how) else daily_dose({}, f"{dose} mg{how}", Concept())
    return daily if unit == "mg" else None, Decimal(dose.replace(",", "."))
