"""The small chart that the tables of oddities change: a patient, a calcium, a lupus."""

from __future__ import annotations

from typing import Any

from tests.faults.vendors import Resource

LOINC = "http://loinc.org"
LABORATORY = [{"coding": [{"code": "laboratory"}]}]
CALCIUM = {"coding": [{"system": LOINC, "code": "17861-6"}]}
SLE = {"coding": [{"system": "http://snomed.info/sct", "code": "200936003"}]}


def body(kind: str, name: str, **more: Any) -> Resource:
    found = {"resourceType": kind, "id": name, "subject": {"reference": "Patient/p"}} | more
    return {key: value for key, value in found.items() if value is not None}


def lab(name: str = "ca", value: Any = 9.4, unit: str | None = "mg/dL", **more: Any) -> Resource:
    quantity = {"value": value} | ({"unit": unit} if unit is not None else {})
    return body("Observation", name, status="final", code=CALCIUM, category=LABORATORY) | (
        {"effectiveDateTime": "2026-05-20T09:00:00Z", "valueQuantity": quantity} | more
    )


PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01", "gender": "female"}
SLE_CODED = body("Condition", "sle", code=SLE, category=[{"coding": [{"code": "problem-list-item"}]}])
CHART = [PATIENT, lab(), SLE_CODED]
