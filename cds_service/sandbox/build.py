"""Rows of a chart table -> FHIR R4 resources, written the way EHRs write them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from cds_service.sandbox.rows import CLINICAL, STATUS, VERIFICATION, ChartError, Quantity, Row
from cds_service.sandbox.vocabulary import SYSTEMS, terms_for
from mappings.dates import add_months

Resource = dict[str, Any]

_HL7 = "http://terminology.hl7.org/CodeSystem"
_UCUM = "http://unitsofmeasure.org"
SYNTHETIC_TAG = {"system": f"{_HL7}/v3-ActReason", "code": "HTEST", "display": "test health data"}
SYNTHETIC_NOTE = "SYNTHETIC: this value is not in the published report."
_PERIODS = {"d": (1, "d"), "wk": (1, "wk"), "mo": (1, "mo"), "h": (1, "h")}
_CLOCKED = frozenset({"laboratory", "vital", "exam", "observation", "bp", "imaging", "pathology", "report"})


def build(row: Row, *, today: date, patient_id: str) -> Resource:
    """One row's resource, without an id unless the row gives one."""
    if row.kind == "resource":
        return _literal(row, patient_id)
    resource = _BUILDERS[row.kind](row, today)
    resource = {"resourceType": resource.pop("resourceType"), **_envelope(row, today), **resource}
    if row.kind != "patient":
        owner = "patient" if row.kind == "allergy" else "subject"
        resource[owner] = {"reference": row.keys.get("subject", f"Patient/{patient_id}")}
    for element in row.keys.get("without", "").replace(" ", "").split(","):
        resource.pop(element, None)
    return resource


def _literal(row: Row, patient_id: str) -> Resource:
    try:
        resource = json.loads(row.name, parse_float=Decimal)
    except ValueError:
        raise ChartError(f"not JSON in chart line: {row.line!r}") from None
    if not isinstance(resource, dict) or "resourceType" not in resource:
        raise ChartError(f"no resourceType in chart line: {row.line!r}")
    if not {"subject", "patient"} & resource.keys() and resource["resourceType"] != "Patient":
        owner = "patient" if resource["resourceType"] == "AllergyIntolerance" else "subject"
        resource[owner] = {"reference": f"Patient/{patient_id}"}
    return resource


def _envelope(row: Row, today: date) -> Resource:
    envelope: Resource = {"id": row.keys["id"]} if "id" in row.keys else {}
    meta: Resource = {}
    if "updated" in row.dates:
        meta["lastUpdated"] = row.dates["updated"].on(today, clock=True)
    if "synthetic" in row.words:
        meta["tag"] = [SYNTHETIC_TAG]
    if "tag" in row.keys:
        meta.setdefault("tag", []).append({"display": row.keys["tag"]})
    if "security" in row.keys:
        meta["security"] = [{"system": f"{_HL7}/v3-Confidentiality", "code": row.keys["security"]}]
    return envelope | ({"meta": meta} if meta else {})


def _notes(row: Row) -> Resource:
    notes = [row.keys["note"]] if "note" in row.keys else []
    if "synthetic" in row.words:
        notes.append(SYNTHETIC_NOTE)
    return {"note": [{"text": text} for text in notes]} if notes else {}


def _concept(row: Row, name: str, unit: str | None = None) -> Resource:
    if row.codes:
        known = {(term.system, term.code): term for term in terms_for(name, unit)}
        coding = [
            known[key].coding() if key in known else {"system": SYSTEMS[key[0]], "code": key[1]} for key in row.codes
        ]
    else:
        coding = [term.coding() for term in terms_for(name, unit)]
    if "display" in row.keys and coding:
        coding[0]["display"] = row.keys["display"]
    if "nocode" in row.words or not coding:
        return {"text": name}
    return {"coding": coding, "text": name} if name else {"coding": coding}


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{_HL7}/{system}", "code": code}]}


def _status(row: Row, default: str) -> str:
    return row.keys.get("status") or next(iter(sorted(row.words & (STATUS | CLINICAL | VERIFICATION))), default)


def _sites(row: Row) -> list[Resource]:
    sites: list[Resource] = [{"text": text.strip()} for text in row.keys.get("site", "").split(";") if text.strip()]
    if "sitecode" in row.keys:
        coding = {"system": SYSTEMS["SCT"], "code": row.keys["sitecode"]}
        sites = [{**(sites[0] if sites else {}), "coding": [coding]}, *sites[1:]]
    return sites


def _when(row: Row, today: date, word: str = "") -> str | None:
    when = row.dates.get(word)
    return when.on(today, clock=row.kind in _CLOCKED) if when else None


def _filled(**elements: Any) -> Resource:
    return {name: value for name, value in elements.items() if value not in (None, [], {})}


def _patient(row: Row, today: date) -> Resource:
    born = row.dates.get("born")
    if row.age is not None:
        birth = (add_months(today, -12 * row.age) - timedelta(days=100)).isoformat()
    else:
        birth = born.on(today) if born else ""
    name = row.keys.get("name")
    given, _, family = (name or "").partition(" ")
    return {
        "resourceType": "Patient",
        **_filled(
            gender=next(iter(row.words & {"female", "male", "other", "unknown"}), None),
            birthDate=birth or None,
            deceasedBoolean=True if "deceased" in row.words else None,
            name=[_filled(use="official", text=name, family=family, given=[given] if given else None)]
            if name
            else None,
        ),
    }


def _condition(row: Row, today: date) -> Resource:
    clinical = next(iter(row.words & CLINICAL), "active")
    verification = next(iter(row.words & VERIFICATION), "confirmed")
    verification = {"suspected": "provisional"}.get(verification, verification)
    body = _filled(
        clinicalStatus=_coded("condition-clinical", clinical),
        verificationStatus=_coded("condition-ver-status", verification),
        category=[_coded("condition-category", row.keys.get("category", "problem-list-item"))],
        code=_concept(row, row.name),
        bodySite=_sites(row),
        onsetDateTime=_when(row, today, "onset") or _when(row, today),
        abatementDateTime=_when(row, today, "ended"),
        recordedDate=_when(row, today, "recorded"),
    )
    notes = [{"text": text} for text in row.texts] + _notes(row).get("note", [])
    if verification in ("entered-in-error", "refuted"):
        body.pop("clinicalStatus")
    return {"resourceType": "Condition", **body, **({"note": notes} if notes else {})}


def _observation(row: Row, today: date) -> Resource:
    quantity = row.quantity
    category = row.keys.get("category") or {
        "laboratory": "laboratory",
        "vital": "vital-signs",
        "bp": "vital-signs",
    }.get(row.kind, "exam")
    flag = row.keys.get("flag") or (quantity.flag if quantity else None)
    sites = _sites(row)
    body = _filled(
        status=_status(row, "final"),
        category=[_coded("observation-category", category)],
        code={"text": "Skin examination"}
        if row.kind == "exam" and not row.codes
        else _concept(row, row.name, quantity.unit if quantity else None),
        effectiveDateTime=_when(row, today),
        issued=_when(row, today, "issued"),
        interpretation=[_coded("v3-ObservationInterpretation", flag)] if flag else None,
        bodySite=sites[0] if sites else None,
        method={"text": row.keys["method"]} if "method" in row.keys else None,
        specimen={"display": row.keys["specimen"]} if "specimen" in row.keys else None,
    )
    if row.kind == "exam":
        body["valueString"] = " ".join([row.name, *row.texts])
    elif row.pressure:
        body["component"] = [_component("Systolic", row.pressure[0]), _component("Diastolic", row.pressure[1])]
    elif quantity is not None:
        body |= _quantity(quantity)
    elif row.texts:
        body["valueString"] = " ".join(row.texts)
    return {"resourceType": "Observation", **body, **_notes(row)}


def _component(name: str, value: int) -> Resource:
    return {
        "code": {"coding": [term.coding() for term in terms_for(name)], "text": name},
        "valueQuantity": {"value": value, "unit": "mmHg", "system": _UCUM, "code": "mm[Hg]"},
    }


def _quantity(quantity: Quantity) -> Resource:
    def of(value: Any, unit: str | None) -> Resource:
        return _filled(value=value, unit=unit, system=_UCUM if unit else None, code=_ucum(unit))

    body: Resource = {"valueQuantity": of(quantity.value, quantity.unit)}
    if quantity.comparator:
        body["valueQuantity"]["comparator"] = quantity.comparator
    if quantity.low is not None or quantity.high is not None:
        unit = quantity.range_unit or quantity.unit
        body["referenceRange"] = [
            _filled(
                low=of(quantity.low, unit) if quantity.low is not None else None,
                high=of(quantity.high, unit) if quantity.high is not None else None,
            )
        ]
    return body


def _ucum(unit: str | None) -> str | None:
    spelled = {"mL/min/1.73m2": "mL/min/{1.73_m2}", "bpm": "/min", "mmHg": "mm[Hg]", "U/L": "U/L"}
    return spelled.get(unit, unit.replace("µ", "u")) if unit else None


def _report(row: Row, today: date) -> Resource:
    section = {"imaging": ("RAD", "Radiology"), "pathology": ("PAT", "Pathology")}.get(row.kind)
    category: list[Resource] | None = (
        [{"coding": [{"system": f"{_HL7}/v2-0074", "code": section[0], "display": section[1]}]}] if section else None
    )
    if row.kind == "report" and "category" in row.keys:
        category = [{"text": row.keys["category"]}]
    return {
        "resourceType": "DiagnosticReport",
        **_filled(
            status=_status(row, "final"),
            category=category,
            code=_concept(row, row.name),
            effectiveDateTime=_when(row, today),
            issued=_when(row, today, "issued"),
            conclusion=" ".join(row.texts),
        ),
    }


def _procedure(row: Row, today: date) -> Resource:
    notes = [{"text": text} for text in row.texts] + _notes(row).get("note", [])
    return {
        "resourceType": "Procedure",
        **_filled(
            status=_status(row, "completed"),
            code=_concept(row, row.name),
            performedDateTime=_when(row, today),
            bodySite=_sites(row),
            reasonCode=[{"text": row.keys["reason"]}] if "reason" in row.keys else None,
            note=notes,
        ),
    }


def _dosage(row: Row) -> list[Resource]:
    dosage: Resource = {}
    if row.texts:
        dosage["text"] = " ".join(row.texts)
    if row.dose:
        period, unit = _PERIODS[row.dose.period]
        dosage["timing"] = {"repeat": {"frequency": row.dose.times, "period": period, "periodUnit": unit}}
        quantity = {"value": row.dose.value, "unit": row.dose.unit, "system": _UCUM, "code": row.dose.unit}
        dosage["doseAndRate"] = [{"doseQuantity": quantity}]
    if "route" in row.keys:
        dosage["route"] = {"text": row.keys["route"]}
    return [dosage] if dosage else []


def _medication(row: Row, today: date) -> Resource:
    reason = [{"text": row.keys["reason"]}] if "reason" in row.keys else None
    started, ended = _when(row, today, "started") or _when(row, today), _when(row, today, "ended")
    if row.kind == "statement":
        period = _filled(start=started, end=ended)
        return {
            "resourceType": "MedicationStatement",
            **_filled(
                status=_status(row, "active"),
                medicationCodeableConcept=_concept(row, row.name),
                effectivePeriod=period,
                reasonCode=reason,
                dosage=_dosage(row),
            ),
            **_notes(row),
        }
    dosage = _dosage(row)
    if ended:
        dosage = dosage or [{}]
        dosage[0].setdefault("timing", {}).setdefault("repeat", {})["boundsPeriod"] = _filled(start=started, end=ended)
    return {
        "resourceType": "MedicationRequest",
        **_filled(
            status=_status(row, "active"),
            intent=row.keys.get("intent", "order"),
            reportedBoolean=True if row.keys.get("intent") == "plan" else None,
            medicationCodeableConcept=_concept(row, row.name),
            authoredOn=started,
            reasonCode=reason,
            dosageInstruction=dosage,
        ),
        **_notes(row),
    }


def _allergy(row: Row, today: date) -> Resource:
    severity = next(iter(row.words & {"severe", "mild", "moderate"}), None)
    reaction = _filled(manifestation=[{"text": " ".join(row.texts) or "Reaction"}], severity=severity)
    verification = next(iter(row.words & VERIFICATION), "confirmed")
    return {
        "resourceType": "AllergyIntolerance",
        **_filled(
            clinicalStatus=_coded("allergyintolerance-clinical", next(iter(row.words & CLINICAL), "active")),
            verificationStatus=_coded("allergyintolerance-verification", verification),
            type=row.keys.get("category"),
            category=["medication"],
            criticality="high" if severity == "severe" else None,
            code=_concept(row, row.name),
            recordedDate=_when(row, today),
            reaction=[reaction] if row.texts or severity else None,
        ),
        **_notes(row),
    }


def _order(row: Row, today: date) -> Resource:
    sites = _sites(row)
    return {
        "resourceType": "ServiceRequest",
        **_filled(
            status=_status(row, "active"),
            intent="order",
            category=[{"text": row.keys["category"]}] if "category" in row.keys else None,
            code=_concept(row, row.name),
            authoredOn=_when(row, today),
            bodySite=sites,
            reasonCode=[{"text": row.keys["reason"]}] if "reason" in row.keys else None,
        ),
        **_notes(row),
    }


_BUILDERS: dict[str, Callable[[Row, date], Resource]] = {
    "patient": _patient,
    "condition": _condition,
    "laboratory": _observation,
    "vital": _observation,
    "exam": _observation,
    "observation": _observation,
    "bp": _observation,
    "imaging": _report,
    "pathology": _report,
    "report": _report,
    "procedure": _procedure,
    "medication": _medication,
    "statement": _medication,
    "allergy": _allergy,
    "order": _order,
}
