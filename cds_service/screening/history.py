"""The chart as it was on an earlier day: what is dated later is not seen, so that a back-test can't know the future.

A resource is known when every date that says when it began, was measured or was written down lies on the day or before
it. Elements that came later go (an end, a note, a death), and with an end the status that it brought. What bears no
date at all stays: a status that changed without saying when can't be undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from mappings.dates import PartialDate
from mappings.raw import Resource

_BEGINS = (
    "effectiveDateTime",
    "effectiveInstant",
    "issued",
    "onsetDateTime",
    "recordedDate",
    "assertedDate",
    "authored",
    "authoredOn",
    "dateWritten",
    "dateAsserted",
    "performedDateTime",
    "occurrenceDateTime",
    "date",
    "indexed",
    "created",
)
_PERIODS = ("period", "effectivePeriod", "onsetPeriod", "performedPeriod", "occurrencePeriod")
_BEGINNINGS = frozenset((*_BEGINS, *_PERIODS))
_ENDS = ("abatementDateTime", "abatementPeriod")
_DAY = 10
"""characters of a day as it is written."""
_ALWAYS = frozenset({"Patient", "Medication"})
"""who the patient is, and what a drug is made of, is no event."""


def known_on(resources: Iterable[Resource], day: date) -> tuple[Resource, ...]:
    """The resources as they were known on the day; of several versions those of later days go where an older is."""
    kept: dict[tuple[object, object], list[Resource]] = defaultdict(list)
    unnamed: list[Resource] = []
    for resource in resources:
        if not isinstance(resource, Mapping):
            unnamed.append(resource)
            continue
        seen = _as_of(resource, day)
        if seen is None:
            continue
        name = (resource.get("resourceType"), resource.get("id"))
        if all(isinstance(part, str) for part in name):
            kept[name].append(seen)
        else:
            unnamed.append(seen)
    versions = (_not_later(group, day) if len(group) > 1 else group for group in kept.values())
    return (*(resource for group in versions for resource in group), *unnamed)


def _as_of(resource: Resource, day: date) -> Resource | None:
    if resource.get("resourceType") in _ALWAYS:
        return _without(resource, ["deceasedDateTime"]) if _later(resource.get("deceasedDateTime"), day) else resource
    stated = [
        found
        for name in _BEGINNINGS.intersection(resource)
        if (found := _start(resource[name]) if name in _PERIODS else resource[name]) is not None
    ]
    if any(_later(found, day) for found in stated or [_updated(resource)]):
        return None
    gone = [name for name in _ENDS if _later(resource.get(name), day) or _later(_start(resource.get(name)), day)]
    if gone:
        gone.append("clinicalStatus")
    if _later(resource.get("lastOccurrence"), day):
        gone.append("lastOccurrence")
    seen = _without(resource, gone) if gone else resource
    notes = seen.get("note")
    if isinstance(notes, list) and any(_written_later(note, day) for note in notes):
        seen = {**seen, "note": [note for note in notes if not _written_later(note, day)]}
    return seen


def _not_later(versions: list[Resource], day: date) -> list[Resource]:
    older = [version for version in versions if not _later(_updated(version), day)]
    return older or versions


def _updated(resource: Resource) -> object:
    meta = resource.get("meta")
    return meta.get("lastUpdated") if isinstance(meta, Mapping) else None


def _start(period: object) -> object:
    return period.get("start") if isinstance(period, Mapping) else None


def _written_later(note: object, day: date) -> bool:
    return isinstance(note, Mapping) and _later(note.get("time"), day)


@lru_cache(maxsize=16)
def _written(day: date) -> str:
    return day.isoformat()


def _later(value: object, day: date) -> bool:
    if not isinstance(value, str):
        return False
    written = value[:_DAY]
    if written <= _written(day)[: len(written)]:  # spares most dates the parsing
        return False
    when = PartialDate.parse(value)
    return when is not None and when.earliest > day


def _without(resource: Resource, names: Iterable[str]) -> dict[str, Any]:
    gone = set(names)
    return {name: value for name, value in resource.items() if name not in gone}
