"""Observation: results and vital signs by analyte; what is none is an examination finding (`examination.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from mappings.dates import PartialDate
from mappings.facts import Result
from mappings.reader import shape
from mappings.reader.access import (
    Concept,
    concept,
    confidential,
    first_date,
    items,
    mapping,
    name_of,
    notes,
    updated,
)
from mappings.reader.analyte import other_material, specimen_words, test_of
from mappings.reader.context import Collected
from mappings.reader.culture import is_wound_culture
from mappings.reader.due_date import read_due_date
from mappings.reader.examination import USABLE, add_findings, line_of
from mappings.reader.identity import OTHER_PATIENT, target
from mappings.reader.measured import BROKEN, read_plain
from mappings.reader.measured import read_first as read_first_plain
from mappings.reader.merge import Stamp
from mappings.reader.narrative import Source, add_reading
from mappings.reader.panel import read_components, read_pressures, read_result
from mappings.reader.result import State, of_its_test
from mappings.unread import Unread
from mappings.versions import REPLACES


def read_measurement(resource: Mapping[str, Any], ref: str, into: Collected) -> bool:
    """Reads a plain measurement the short way; False when it is none and has to be read the ordinary way."""
    return read_plain(resource, ref, into, _name_says_nothing)


def read_first(unread: Unread, ref: str, into: Collected) -> bool:
    """The same of the first of a form, for the others of it."""
    return read_first_plain(unread, ref, into, _name_says_nothing)


def _name_says_nothing(panel: Mapping[str, Any], into: Collected) -> bool:
    """Whether the name of a panel gives no fact by itself, whoever has it and whenever."""
    alone, name = Collected(into.tools, into.patient), concept(panel.get("code"))
    before = alone.sizes()
    if is_wound_culture(name.texts):
        return False
    add_findings({"code": panel.get("code")}, name, Source("Observation/panel"), alone)
    return alone.sizes() == before and not alone.quarantined


def read(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    read_contained(resource, ref, into)
    _read_one(resource, ref, into)


def read_contained(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    """Observations inside a panel or report, with its date where they have none; named by the resource that holds
    them."""
    date = _date(resource)
    for inner in items(resource.get("contained")):
        body = mapping(inner)
        if body.get("resourceType") != "Observation":
            continue
        if (reference := mapping(body.get("subject")).get("reference")) and not _is_ours(reference, resource, into):
            into.leave_out(ref, f"contained Observation {OTHER_PATIENT}")
        elif (wrong := shape.unreadable(body)) is not None:
            into.leave_out(ref, f"contained Observation: {wrong}")
        else:
            _read_one(body, ref, into, outer_date=date)


def note_unreadable(resource: Mapping[str, Any], ref: str, into: Collected) -> bool:
    """Notes that a result came which could not be read, so that an older one of its test does not speak for it. False
    when nobody can tell which test it was, or when."""
    try:
        name, date = name_of(resource)[0], _date(resource)
        test = test_of(name, into, foreign=other_material(specimen_words(resource, into), into))
    except BROKEN:
        return False
    if test is None:
        return bool(name.label) and not resource.get("component") and not resource.get("contained")
    status = resource.get("status")
    if not isinstance(status, str) or status in USABLE:
        into.results.append(Result(test.analyte, ref, date, "final", label=name.label, problem="not-understood"))
    return date is not None


def _is_ours(reference: object, outer: Mapping[str, Any], into: Collected) -> bool:
    subject = mapping(outer.get("subject") or outer.get("patient")).get("reference")
    return reference == subject or target(reference) == into.patient


def _read_one(resource: Mapping[str, Any], ref: str, into: Collected, *, outer_date: PartialDate | None = None) -> None:
    status = resource.get("status")
    if status not in USABLE and status != "preliminary":
        into.leave_out(ref, f"status {status}" if isinstance(status, str) and len(status) < 30 else "status missing")
        return
    name, _ = name_of(resource)
    date = _date(resource) or outer_date
    source = Source(
        ref,
        date=date,
        recorded=date,
        updated=updated(resource),
        sites=into.sites_of(resource.get("bodySite")),
        confidential=confidential(resource),
    )
    state: State = "preliminary" if status == "preliminary" else "final"
    if outer_date is None:
        into.stamps[ref] = _stamp(resource)
    foreign = other_material(specimen_words(resource, into), into)
    before = len(into.results)
    if read_result(resource, name, source, state, into, foreign=foreign):
        if state == "final" and into.results[before].problem == "not-understood":
            analyte = into.results[before].analyte
            named = name if name.texts else Concept(name.codings, analyte.replace("-", " "))
            told = into.tools.engine.read(line_of(named, resource, None), kind="observation")  # "ALT: 5 x ULN"
            own = of_its_test(told.labs, analyte, into)
            add_reading(replace(told, labs=own, lesions=()), source, into)
        read_components(resource, source, state, into, foreign=foreign)
        for comment in notes(resource):
            add_reading(into.tools.engine.read(comment, kind="note"), source, into)
        return
    if state == "preliminary":
        into.leave_out(ref, "status preliminary")
        return
    if read_due_date(resource, name, source, into):
        return
    left = read_components(resource, source, state, into, foreign=foreign)
    read_pressures(resource, name, source, into)
    add_findings(resource, name, source, into, components=left)


def _date(resource: Mapping[str, Any]) -> PartialDate | None:
    date = first_date(resource, "effectiveDateTime", "effectivePeriod", "effectiveInstant") or _timing(resource)
    return date or PartialDate.parse(resource.get("issued"))


def _stamp(resource: Mapping[str, Any]) -> Stamp:
    replaced = (
        target(mapping(entry.get("valueReference")).get("reference"))
        for entry in items(resource.get("extension"))
        if isinstance(entry, Mapping) and entry.get("url") == REPLACES
    )
    specimen = mapping(resource.get("specimen")).get("reference")
    return Stamp(
        resource.get("status") in ("amended", "corrected"),
        PartialDate.parse(resource.get("issued")) or updated(resource),
        tuple(ref for ref in replaced if ref),
        specimen if isinstance(specimen, str) and not specimen.startswith("#") else None,
    )


def _timing(resource: Mapping[str, Any]) -> PartialDate | None:
    for event in items(mapping(resource.get("effectiveTiming")).get("event")):
        found = PartialDate.parse(event)
        if found:
            return found
    return None
