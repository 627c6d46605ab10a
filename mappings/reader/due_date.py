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
from mappings.reader.access import Concept
from mappings.reader.analyte import observation_words
from mappings.reader.context import Collected
from mappings.reader.narrative import Source


def read_due_date(resource: Mapping[str, Any], name: Concept, source: Source, into: Collected) -> None:
    """Adds the pregnancy, which ends some days after the date told; nothing when there is no such date."""
    known = _known()
    coded = any(systems.canonical(c.system) == systems.LOINC and c.code in known.codes for c in name.codings)
    if not coded and not any(_folded(words) in known.names for words in name.texts):
        return
    due = PartialDate.parse(resource.get("valueDateTime") or resource.get("valueString"))
    if due is None:
        return
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


class _Known(Struct, frozen=True):
    codes: frozenset[str]
    names: frozenset[str]
    concept: str
    after: timedelta


@cache
def _known() -> _Known:
    data = observation_words().due_date
    names = frozenset(_folded(name) for name in data.names)
    return _Known(frozenset(data.codes), names, data.concept, timedelta(days=data.after))


def _folded(words: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in plain(words)).split())
