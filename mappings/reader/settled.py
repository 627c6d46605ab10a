"""Which drugs count where notes, dispenses and orders tell of the same one."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mappings.dates import PartialDate
from mappings.facts import Medication


def settled(medications: Iterable[Medication]) -> tuple[Medication, ...]:
    """Of what notes tell of a drug only the newest, that it is taken or on which day it was stopped, and nothing of
    what the list itself holds: what stands on it as taken, or as stopped since."""
    every = tuple(medications)
    ordered = [m for m in every if m.told is None and m.given is None]
    every = tuple(m for m in every if m.given is None or not _stopped_since(m, m.given, ordered))
    listed = [m for m in every if m.told is None]
    told = sorted((m for m in every if m.told is not None), key=_when)
    if not told:
        return every
    newest = {(m.drugs, m.classes): m for m in told}
    kept = (m for m in newest.values() if m.state == "active" or m.ended is not None)
    return (*listed, *(m for m in kept if not _is_listed(m, listed)))


def _when(drug: Medication) -> tuple[object, ...]:
    assert drug.told is not None  # noqa: S101 - only what notes tell is sorted
    return (*drug.told.sort_key, drug.ref)


def _is_listed(drug: Medication, listed: Collection[Medication]) -> bool:
    assert drug.told is not None  # noqa: S101 - only what notes tell is looked up
    going_on = any(_is_same(drug, other) and not other.draft and other.state == "active" for other in listed)
    return going_on or _stopped_since(drug, drug.told, listed)


def _stopped_since(drug: Medication, day: PartialDate, listed: Iterable[Medication]) -> bool:
    return any(
        _is_same(drug, other) and not other.draft and other.ended is not None and other.ended.latest >= day.latest
        for other in listed
    )


def _is_same(drug: Medication, other: Medication) -> bool:
    return not drug.drugs.isdisjoint(other.drugs) if drug.drugs else drug.classes <= other.classes
