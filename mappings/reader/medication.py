"""MedicationRequest, MedicationStatement, MedicationAdministration: which drug, active or stopped, which daily dose.

What was handed out or listed without an order is found by `supply.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from mappings import systems
from mappings.data_schema import read_table
from mappings.dates import PartialDate
from mappings.drug_tables import Supply
from mappings.drugs import DrugIds
from mappings.facts import Medication
from mappings.reader.access import (
    Concept,
    codes,
    concept,
    concepts,
    first_date,
    is_true,
    is_word,
    items,
    mapping,
    name_of,
    notes,
    text,
)
from mappings.reader.context import Collected, Prescribed, key_of
from mappings.reader.dosage import daily_dose, is_delayed, is_infused, route_of_atc, routes, strength_of
from mappings.reader.identity import target
from mappings.reader.names import Dosed
from mappings.reader.narrative import Source, add_reading
from mappings.reader.reasons import add_reasons
from mappings.values import number

State = Literal["active", "stopped"]
_STOPPED = {"completed", "stopped", "cancelled", "ended"}
_DROPPED = {"entered-in-error", "not-done", "not-taken"}
_NOT_ORDERS = {"proposal", "option"}
"""a plan with an active status is how some servers list what the patient reports to take: it counts"""
_WHOLE_ATC = 7


def read(resource: Mapping[str, Any], ref: str, into: Collected, *, draft: bool = False) -> None:
    """An order, statement, dispense or administration as a drug; one that was not given or not meant is left out and
    named."""
    status = str(resource.get("status") or "unknown")
    intent = str(resource.get("intent") or "order")
    if not draft and (status in _DROPPED or is_true(resource.get("doNotPerform"))):
        into.leave_out(ref, f"status {status}" if status in _DROPPED else "not taken")
        return
    draft = draft or status == "draft"  # an accepted suggestion that waits for its signature
    if not draft and intent in _NOT_ORDERS:
        into.leave_out(ref, f"intent {intent}")
        return
    add(resource, ref, into, draft=draft)


def add(
    resource: Mapping[str, Any],
    ref: str,
    into: Collected,
    *,
    draft: bool = False,
    given: PartialDate | None = None,
    ended: PartialDate | None = None,
) -> None:
    """The drug of a resource that counts. `given`: the day on which it was handed out or listed, `ended`: until when it
    lasts; where there is no order."""
    status = str(resource.get("status") or "unknown")
    found = _described(resource, into)
    dosed = found.dosed
    administered = resource.get("resourceType") == "MedicationAdministration"
    started, over = (given, ended) if given is not None else _dates(resource)
    state = "active" if given is not None else _state(status, over)
    if administered and status in _STOPPED:
        given, over, state = over, over and over.back(days=-_supply().administered_days), "active"
    into.medications.append(
        Medication(
            ref,
            found.label,
            drugs=dosed.ids.drugs,
            classes=dosed.ids.classes,
            state=state,
            draft=draft,
            started=started,
            ended=over,
            daily_dose=dosed.daily,
            dose_unit=dosed.unit,
            strength=dosed.strength,
            strength_unit=dosed.strength_unit,
            route=dosed.route,  # type: ignore[arg-type]
            sites=found.sites,
            recognised=dosed.known,
            delayed_release=dosed.delayed_release,
            infusion=administered and (dosed.infused or (dosed.route is None and bool(found.sites))),
            given=given,
        )
    )
    if not dosed.readable and state == "active":
        into.unread["medications"] = "a medication has no name that can be read"
    if state == "active" and not draft:
        add_reasons(resource, ref, started, into)
    comments = (*notes(resource), *(c.label for c in _reasons_of_status(resource)))
    for comment in comments:
        reading = into.tools.engine.read(f"{found.label}: {comment}", kind="medication")
        add_reading(reading, Source(ref, date=started, recorded=started), into, lesions=False)


def _reasons_of_status(resource: Mapping[str, Any]) -> Iterator[Concept]:
    """Why it has its status: one in a request, several in a statement."""
    told = resource.get("statusReason")
    return (reason for reason in (concepts(told) if isinstance(told, list) else (concept(told),)) if reason.label)


def _described(resource: Mapping[str, Any], into: Collected) -> Prescribed:
    """Drug and dosage, found out once for each way of writing them: the same is renewed again and again, and prescribed
    to others. Of a medication that has no code of its own, each time."""
    inline = resource.get("medicationCodeableConcept")
    key = key_of(inline, resource.get("dosageInstruction"), resource.get("dosage")) if inline is not None else b""
    if not key:
        return _newly_described(resource, into)
    found = into.prescribed.get(key)
    if found is None:
        digest = into.tools.doses.digest(key)
        dosed = into.tools.doses.get(digest)
        found = Prescribed(concept(inline).label, dosed) if dosed is not None else _newly_described(resource, into)
        if not found.sites:
            into.tools.doses.keep(digest, found.dosed)
        into.prescribed[key] = found
    return found


def _newly_described(resource: Mapping[str, Any], into: Collected) -> Prescribed:
    name, extra, parts = _name(resource, into)
    ids = _ids(name, into)
    for part in parts:
        ids = ids | _ids(part, into)
    label = name.label or extra
    if not ids and extra:
        ids = _ids(Concept((), extra), into)
    dosage = next(iter(items(resource.get("dosageInstruction") or resource.get("dosage"))), None)
    words = " ".join(
        t for t in (text(mapping(dosage).get("text")), text(mapping(dosage).get("patientInstruction"))) if t
    )
    route = _route(mapping(dosage), words, name)
    daily, unit = _daily(resource, mapping(dosage), words, name)
    strength, strength_unit = strength_of(mapping(dosage), " ".join((words, *name.texts)))
    dosed = Dosed(
        _for_route(ids, route, into),
        route,
        daily,
        unit,
        strength,
        strength_unit,
        delayed_release=is_delayed(label),
        infused=route == "iv" or is_infused(words),
        readable=bool(ids) or _readable(name, extra),
        known=bool(ids),
    )
    sites = into.sites_of(mapping(dosage).get("site") or mapping(resource.get("dosage")).get("site"))
    return Prescribed(label, dosed, sites)


def _name(resource: Mapping[str, Any], into: Collected) -> tuple[Concept, str, list[Concept]]:
    """The medication: CodeableConcept, contained or referenced Medication; the reference's display; the ingredients."""
    inline = resource.get("medicationCodeableConcept")
    if inline is not None:
        return concept(inline), "", []
    reference = mapping(resource.get("medicationReference"))
    named = reference.get("reference")
    found: Mapping[str, Any] = {}
    if isinstance(named, str):
        contained = {f"#{mapping(c).get('id')}": mapping(c) for c in items(resource.get("contained"))}
        found = contained.get(named) or mapping(into.by_reference.get(target(named) or ""))
    name = concept(found.get("code"))
    parts = [concept(mapping(i).get("itemCodeableConcept")) for i in items(found.get("ingredient"))]
    if not name.codings and not name.text:
        name = next((p for p in parts if p.label), name)
    if not name.label and not text(reference.get("display")):
        name, _ = name_of(resource)
    return name, text(reference.get("display")) or "", parts


def _daily(
    resource: Mapping[str, Any], first: Mapping[str, Any], words: str, name: Concept
) -> tuple[Decimal | None, str | None]:
    """The daily dose. Several dosages at once ("60 mg in the morning", "30 mg at night") add up; of steps one after
    the other (`sequence`) the highest counts; when one of them can't be read the dose is unknown, not the rest."""
    every = [mapping(d) for d in items(resource.get("dosageInstruction") or resource.get("dosage"))]
    if len(every) < 2:
        return daily_dose(first, words, name)
    doses = [daily_dose(d, text(d.get("text")) or "", name) for d in every]
    amounts = [amount for amount, _ in doses if amount is not None]
    units = {unit for _, unit in doses}
    if len(amounts) < len(doses) or len(units) != 1:
        return None, None
    steps = len({d.get("sequence") for d in every if isinstance(d.get("sequence"), int)}) > 1
    return (max(amounts) if steps else sum(amounts, Decimal(0))), units.pop()


def _ids(name: Concept, into: Collected) -> DrugIds:
    found = DrugIds()
    for coding in name.codings:
        found = found | (into.tools.drugs.by_code(coding.system, coding.code) or DrugIds())
    if found.drugs:
        return found
    for words in name.texts:
        for hit in into.tools.drugs.by_name(words):
            found = found | hit
    return found


def _readable(name: Concept, extra: str) -> bool:
    """Words name a drug, known here or not; so does a whole ATC code, since every drug of the rules is listed by it."""
    if any(is_word(words) for words in (*name.texts, extra)):
        return True
    return any(systems.canonical(c.system) == systems.ATC and len(c.code or "") == _WHOLE_ATC for c in name.codings)


def _for_route(ids: DrugIds, route: str | None, into: Collected) -> DrugIds:
    return into.tools.drugs.for_route(ids, route)


def _route(dosage: Mapping[str, Any], words: str, name: Concept) -> str | None:
    for coding in name.codings:
        if systems.canonical(coding.system) == systems.ATC and (local := route_of_atc(coding.code or "")):
            return local
    said = {*codes(dosage.get("route")), *codes(dosage.get("method"))}
    every = " ".join((*said, concept(dosage.get("route")).label.lower(), words.lower(), " ".join(name.texts).lower()))
    tokens = set(re.findall(r"[a-z0-9]+", every))
    for route, signs in routes():
        if any(sign in tokens if len(sign) < 4 else sign in every for sign in signs):
            return route
    return None


def _state(status: str, ended: PartialDate | None) -> State:
    if status in _STOPPED:
        return "stopped"
    return "stopped" if ended is not None and status not in ("active", "on-hold", "unknown", "intended") else "active"


@cache
def _supply() -> Supply:
    return read_table(Supply)


def _supplied(resource: Mapping[str, Any], started: PartialDate | None) -> PartialDate | None:
    """The day until which what was supplied lasts."""
    told = mapping(mapping(resource.get("dispenseRequest")).get("expectedSupplyDuration"))
    days, unit = number(told.get("value")), str(told.get("code") or told.get("unit") or "").lower()
    known = _supply()
    if started is None or days is None or unit not in known.day_units or not 0 < days <= known.longest_days:
        return None
    return started.back(days=-int(days))


def _dates(resource: Mapping[str, Any]) -> tuple[PartialDate | None, PartialDate | None]:
    started = first_date(resource, "authoredOn", "dateAsserted", "dateWritten")
    period = mapping(resource.get("effectivePeriod") or mapping(resource.get("dispenseRequest")).get("validityPeriod"))
    begin, end = PartialDate.parse(period.get("start")), PartialDate.parse(period.get("end"))
    effective = first_date(resource, "effectiveDateTime")
    timing = mapping(mapping(next(iter(items(resource.get("dosageInstruction"))), None)).get("timing"))
    bounds = mapping(mapping(timing.get("repeat")).get("boundsPeriod"))
    end = (
        PartialDate.parse(mapping(resource.get("effectivePeriod")).get("end"))
        or PartialDate.parse(bounds.get("end"))
        or (end if resource.get("status") in _STOPPED else None)
    )
    if end is None and resource.get("status") in _STOPPED:
        end = first_date(resource, "statusChanged") or effective or _supplied(resource, started)
    return begin or effective or started, end
