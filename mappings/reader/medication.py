"""MedicationRequest, MedicationStatement, MedicationAdministration: which drug, active or stopped, which daily dose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from mappings.dates import PartialDate
from mappings.drugs import DrugIds
from mappings.facts import Medication
from mappings.reader.access import Concept, codes, concept, first_date, items, mapping, notes, text
from mappings.reader.context import Collected
from mappings.reader.narrative import Source, add_reading
from mappings.values import number

State = Literal["active", "stopped"]
_STOPPED = {"completed", "stopped", "cancelled", "ended", "not-taken"}
_DROPPED = {"entered-in-error", "draft"}
_NOT_ORDERS = {"proposal", "plan", "option"}
_ROUTES = (
    ("intralesional", ("intralesional",)),
    ("ophthalmic", ("ophthalm", "eye", "ocular", "oftalm", "augen")),
    ("topical", ("topical", "cutaneous", "skin", "cream", "ointment", "gel", "topic", "kutan")),
    ("iv", ("intravenous", "iv", "infusion", "47625008")),
    ("sc", ("subcutaneous", "sc", "subcut", "34206005")),
    ("im", ("intramuscular", "im", "78421000")),
    ("inhaled", ("inhal", "nasal")),
    ("oral", ("oral", "po", "by mouth", "tablet", "capsule", "26643006")),
)
_AMOUNT = re.compile(
    r"(?P<amount>\d{1,5}(?:[.,]\d{1,3})?)\s*(?P<unit>mg|g|µg|mcg|ug|iu|ie|ui|units?)\b(?:\s*(?:/|per|a|pro|por|par)\s*(?P<per>d|day|tag|día|dia|jour|w|wk|week|woche|semana|semaine|mo|month|h)\b)?",
    re.IGNORECASE,
)
_TIMES = (
    (
        re.compile(
            r"\b(?:once (?:daily|a day)|daily|every day|qd|od|q\.?d\.?|1x/?d|every 24 ?h\w*|täglich|diario|al día|par jour|por dia|at night|qhs|nocte|every morning|qam|mane)\b",
            re.I,
        ),
        Decimal(1),
    ),
    (
        re.compile(
            r"\b(?:twice (?:daily|a day)|two times (?:daily|a day)|bid|b\.?i\.?d\.?|bd|2x/?d|every 12 ?h\w*|q12h)\b",
            re.I,
        ),
        Decimal(2),
    ),
    (
        re.compile(
            r"\b(?:three times (?:daily|a day)|thrice daily|tid|t\.?i\.?d\.?|tds|3x/?d|every 8 ?h\w*|q8h)\b", re.I
        ),
        Decimal(3),
    ),
    (re.compile(r"\b(?:four times (?:daily|a day)|qid|q\.?i\.?d\.?|qds|4x/?d|every 6 ?h\w*|q6h)\b", re.I), Decimal(4)),
    (
        re.compile(r"\b(?:once weekly|weekly|once a week|every week|per week|qweek|q1w|wöchentlich|semanal)\b", re.I),
        Decimal(1) / 7,
    ),
    (re.compile(r"\b(?:monthly|once a month|every 4 weeks)\b", re.I), Decimal(1) / 28),
)
_PER_DAY = {
    "h": Decimal(24),
    "d": Decimal(1),
    "wk": Decimal(1) / 7,
    "mo": Decimal(1) / 30,
    "min": Decimal(1440),
    "a": Decimal(1) / 365,
}
_UNITS = {
    "mg": ("mg", Decimal(1)),
    "g": ("mg", Decimal(1000)),
    "µg": ("mg", Decimal("0.001")),
    "mcg": ("mg", Decimal("0.001")),
    "ug": ("mg", Decimal("0.001")),
    "[iu]": ("IU", Decimal(1)),
    "iu": ("IU", Decimal(1)),
    "ie": ("IU", Decimal(1)),
    "ui": ("IU", Decimal(1)),
    "unit": ("IU", Decimal(1)),
    "units": ("IU", Decimal(1)),
    "u": ("IU", Decimal(1)),
}


def read(resource: Mapping[str, Any], ref: str, into: Collected, *, draft: bool = False) -> None:
    status = str(resource.get("status") or "unknown")
    intent = str(resource.get("intent") or "order")
    if not draft and (
        status in _DROPPED or resource.get("taken") in ("n", "no") or resource.get("doNotPerform") is True
    ):
        into.leave_out(ref, f"status {status}" if status in _DROPPED else "not taken")
        return
    if not draft and intent in _NOT_ORDERS:
        into.leave_out(ref, f"intent {intent}")
        return
    name, extra = _name(resource, into)
    ids = _ids(name, into)
    label = name.label or extra
    if not ids and extra:
        ids = _ids(Concept((), extra), into)
    dosage = next(iter(items(resource.get("dosageInstruction") or resource.get("dosage"))), None)
    words = " ".join(
        t for t in (text(mapping(dosage).get("text")), text(mapping(dosage).get("patientInstruction"))) if t
    )
    route = _route(mapping(dosage), words, name)
    ids = _for_route(ids, route, into)
    daily, unit = daily_dose(mapping(dosage), words, name)
    strength, strength_unit = _strength(mapping(dosage), " ".join((words, *name.texts)))
    started, ended = _dates(resource)
    administered = resource.get("resourceType") == "MedicationAdministration"
    into.medications.append(
        Medication(
            ref,
            label,
            drugs=ids.drugs,
            classes=ids.classes,
            state=_state(status, ended, administered),
            draft=draft,
            started=started,
            ended=ended,
            daily_dose=daily,
            dose_unit=unit,
            strength=strength,
            strength_unit=strength_unit,
            route=route,  # type: ignore[arg-type]
            sites=into.sites_of(mapping(dosage).get("site") or mapping(resource.get("dosage")).get("site")),
            recognised=bool(ids),
            delayed_release=bool(re.search(r"\b(?:delayed|dr|gastro)\b", label, re.I)),
            infusion=administered and (route == "iv" or "infus" in words.lower()),
        )
    )
    comments = (*notes(resource), *(c.label for c in (concept(resource.get("statusReason")),) if c.label))
    for comment in comments:
        reading = into.tools.engine.read(f"{label}: {comment}", kind="medication")
        add_reading(reading, Source(ref, date=started, recorded=started), into, lesions=False)


def _name(resource: Mapping[str, Any], into: Collected) -> tuple[Concept, str]:
    """The medication: CodeableConcept, contained or referenced Medication (R4 and R5); and the reference's display."""
    inline = resource.get("medicationCodeableConcept")
    if inline is None and isinstance(resource.get("medication"), Mapping):
        inline = resource["medication"].get("concept") or (
            resource["medication"] if "coding" in resource["medication"] else None
        )
    if inline is not None:
        return concept(inline), ""
    reference = mapping(resource.get("medicationReference") or mapping(resource.get("medication")).get("reference"))
    target = reference.get("reference")
    found: Mapping[str, Any] = {}
    if isinstance(target, str):
        contained = {f"#{mapping(c).get('id')}": mapping(c) for c in items(resource.get("contained"))}
        found = (
            contained.get(target)
            or into.by_reference.get(target)
            or into.by_reference.get("/".join(target.split("/")[-2:]))
            or {}
        )
    name = concept(found.get("code"))
    if not name.codings and not name.text:
        parts = [concept(mapping(i).get("itemCodeableConcept")) for i in items(found.get("ingredient"))]
        name = next((p for p in parts if p.label), name)
    return name, text(reference.get("display")) or ""


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


def _for_route(ids: DrugIds, route: str | None, into: Collected) -> DrugIds:
    return into.tools.drugs.for_route(ids, route)


def _route(dosage: Mapping[str, Any], words: str, name: Concept) -> str | None:
    said = {*codes(dosage.get("route")), *codes(dosage.get("method"))}
    every = " ".join((*said, concept(dosage.get("route")).label.lower(), words.lower(), " ".join(name.texts).lower()))
    tokens = set(re.findall(r"[a-z0-9]+", every))
    for route, signs in _ROUTES:
        if any(sign in tokens if len(sign) < 4 else sign in every for sign in signs):
            return route
    return None


def _state(status: str, ended: PartialDate | None, administered: bool) -> State:
    if status in _STOPPED or administered:
        return "stopped"
    return "stopped" if ended is not None and status not in ("active", "on-hold", "unknown", "intended") else "active"


def _dates(resource: Mapping[str, Any]) -> tuple[PartialDate | None, PartialDate | None]:
    started = first_date(resource, "authoredOn", "dateAsserted", "dateWritten")
    period = mapping(resource.get("effectivePeriod") or mapping(resource.get("dispenseRequest")).get("validityPeriod"))
    begin, end = PartialDate.parse(period.get("start")), PartialDate.parse(period.get("end"))
    effective = first_date(resource, "effectiveDateTime", "occurenceDateTime", "occurrenceDateTime")
    timing = mapping(mapping(next(iter(items(resource.get("dosageInstruction"))), None)).get("timing"))
    bounds = mapping(mapping(timing.get("repeat")).get("boundsPeriod"))
    end = (
        PartialDate.parse(mapping(resource.get("effectivePeriod")).get("end"))
        or PartialDate.parse(bounds.get("end"))
        or (end if resource.get("status") in _STOPPED else None)
    )
    if end is None and resource.get("status") in _STOPPED:
        end = first_date(resource, "statusChanged") or effective
    return begin or effective or started, end


def daily_dose(dosage: Mapping[str, Any], words: str, name: Concept) -> tuple[Decimal | None, str | None]:
    """(amount a day, unit) from the structured dosage, else from the sig and then the drug's own text; None if open."""
    for entry in items(dosage.get("doseAndRate") or [dosage]):
        quantity = mapping(mapping(entry).get("doseQuantity") or mapping(mapping(entry).get("doseRange")).get("high"))
        amount = number(quantity.get("value"))
        unit = _UNITS.get(str(quantity.get("code") or quantity.get("unit") or "").lower())
        per_day = _frequency(mapping(dosage.get("timing"))) or _worded_frequency(words)
        if amount is not None and unit is not None and per_day is not None:
            return amount * unit[1] * per_day, unit[0]
        if amount is not None and unit is None and per_day is not None:
            strength, strength_unit = _strength({}, " ".join(name.texts))
            if strength is not None:
                return amount * strength * per_day, strength_unit
    for sentence in (words, *name.texts):
        found = _worded(sentence, " ".join(name.texts))
        if found[0] is not None:
            return found
    return None, None


def _worded(sentence: str, name: str) -> tuple[Decimal | None, str | None]:
    match = _AMOUNT.search(sentence)
    frequency = _worded_frequency(sentence)
    if match is None:
        strength, unit = _strength({}, name)
        tablets = re.search(r"\b(\d(?:[.,]5)?)\s*(?:tab|cap|pill|comp|tabl)", sentence, re.I)
        if strength is not None and frequency is not None and (tablets or re.search(r"\bone\b", sentence, re.I)):
            count = Decimal(tablets[1].replace(",", ".")) if tablets else Decimal(1)
            return strength * count * frequency, unit
        return None, None
    unit_name, factor = _UNITS[match["unit"].lower()]
    amount = Decimal(match["amount"].replace(",", ".")) * factor
    per = (match["per"] or "").lower()
    if per[:1] in ("d", "t", "j"):
        return amount, unit_name
    if per[:1] in ("w", "s"):
        return amount / 7, unit_name
    if per[:1] == "m":
        return amount / 30, unit_name
    times = re.search(r"(?:x|×|\*)\s*(\d)\s*/\s*d", sentence, re.I)
    if times:
        return amount * Decimal(times[1]), unit_name
    return (amount * frequency, unit_name) if frequency is not None else (None, None)


def _worded_frequency(words: str) -> Decimal | None:
    for pattern, per_day in reversed(_TIMES):
        if pattern.search(words):
            return per_day
    return None


def _frequency(timing: Mapping[str, Any]) -> Decimal | None:
    repeat = mapping(timing.get("repeat"))
    period, unit = number(repeat.get("period")), _PER_DAY.get(str(repeat.get("periodUnit")))
    frequency = number(repeat.get("frequencyMax", repeat.get("frequency", 1)))
    if period and unit is not None and frequency is not None:
        return frequency / period * unit
    return _worded_frequency(" ".join(concept(timing.get("code")).texts + tuple(codes(timing.get("code")))))


def _strength(dosage: Mapping[str, Any], words: str) -> tuple[Decimal | None, str | None]:
    for entry in items(dosage.get("doseAndRate") or ([dosage] if dosage else [])):
        quantity = mapping(mapping(entry).get("doseQuantity"))
        unit = _UNITS.get(str(quantity.get("code") or quantity.get("unit") or "").lower())
        amount = number(quantity.get("value"))
        if amount is not None and unit is not None:
            return amount * unit[1], unit[0]
    match = _AMOUNT.search(words)
    if match is None:
        return None, None
    unit_name, factor = _UNITS[match["unit"].lower()]
    return Decimal(match["amount"].replace(",", ".")) * factor, unit_name
