"""The daily dose of a drug in a note: "simvastatin 40 mg at night", "simva 40 qHS". One number alone, or none."""

from __future__ import annotations

import re
from decimal import Decimal

from mappings.reader.access import Concept
from mappings.reader.dosage import daily_dose

_BEHIND = re.compile(r"[^\w\n]{0,3}(\d{1,4}(?:[.,]\d{1,2})?)\s?(mg)?(?=[\s,;.)]|$)(?P<how>[^\n]*)")
_IN_NAME = re.compile(r"\s\d+\Z")
_FIGURE = re.compile(r"\d")


def told_dose(text: str, first: int, last: int, end: int) -> tuple[Decimal | None, Decimal | None]:
    """(mg a day, mg at a time) of the words right behind the name of a drug at [first, last), or at the end of a name
    that is known with its dose only ("pred 30"). A number without a unit is one of mg. With another number ("10 -> 40")
    nothing is known."""
    named = _IN_NAME.search(text, first, last)
    match = _BEHIND.match(text, named.start() if named else last, end)
    if match is None or _FIGURE.search(match["how"]):
        return None, None
    daily, unit = daily_dose({}, f"{match[1]} mg {match['how']}", Concept())
    return daily if unit == "mg" else None, Decimal(match[1].replace(",", "."))
