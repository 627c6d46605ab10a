"""The day on which a child is due, which tells of a pregnancy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from msgspec import Struct

from mappings import systems
from mappings.dates import PartialDate
from mappings.drugs import plain
from mappings.facts import Finding
from mappings.reader.access import Concept, mapping
from mappings.reader.analyte import observation_words
from mappings.reader.context import Collected
from mappings.reader.narrative import Source
from mappings.values import number


def read_due_date(resource: Mapping[str, Any], name: Concept, source: Source, into: Collected) -> bool:
    """Adds the pregnancy, which ends some days after the date told; False when there is no such date."""
    known = _known()
    if _is_called(name, known.codes, known.names):
        due = PartialDate.parse(resource.get("valueDateTime") or resource.get("valueString"))
    elif _is_called(name, known.codes_of_age, known.names_of_age):
        due = _latest_end(mapping(resource.get("valueQuantity")), source.date)
    else:
        return False
    if due is None:
        return False
    over = PartialDate(due.earliest + known.after, due.latest + known.after)
    into.findings.append(
        Finding(
            frozenset({known.concept}),
            name.label,
            source.ref,
            course="resolved",
            recorded=source.date,
            updated=source.updated,
            ended=over,
            confidential=source.confidential,
        )
    )
    return True


def _is_called(name: Concept, codes: frozenset[str], names: frozenset[str]) -> bool:
    coded = any(systems.canonical(c.system) == systems.LOINC and c.code in codes for c in name.codings)
    return coded or any(_folded(words) in names for words in name.texts)


def _latest_end(age: Mapping[str, Any], told: PartialDate | None) -> PartialDate | None:
    """The day by which a pregnancy of this age is over; None without a day on which it had it."""
    weeks = number(age.get("value"))
    term = observation_words().gestation.term
    if weeks is None or told is None or not 0 < weeks <= term:
        return None
    return told.back(days=-int((term - weeks) * 7))


class _Known(Struct, frozen=True):
    codes: frozenset[str]
    names: frozenset[str]
    codes_of_age: frozenset[str]
    names_of_age: frozenset[str]
    concept: str
    after: timedelta


@cache
def _known() -> _Known:
    data, ages = observation_words().due_date, observation_words().gestation
    names, of_age = (frozenset(map(_folded, table.names)) for table in (data, ages))
    return _Known(frozenset(data.codes), names, frozenset(ages.codes), of_age, data.concept, timedelta(days=data.after))


def _folded(words: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in plain(words)).split())
