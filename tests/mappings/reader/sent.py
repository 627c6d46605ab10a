"""A resource or two as a server sends them, and what is read of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from mappings.facts import PatientFacts
from mappings.raw import RawChart
from tests.charts import COMPLETE
from tests.spec.harness import reader

LOINC, SCT = "http://loinc.org", "http://snomed.info/sct"
CALCIUM = {"coding": [{"system": LOINC, "code": "17861-6", "display": "Calcium [Mass/volume] in Serum or Plasma"}]}
SLE = {"coding": [{"system": SCT, "code": "200936003", "display": "Lupus erythematosus"}]}
CALCIUM_RESULT = {
    "resourceType": "Observation",
    "id": "ca",
    "status": "final",
    "subject": {"reference": "Patient/p"},
    "code": {"text": "Calcium"},
    "effectiveDateTime": "2026-05-20",
    "valueQuantity": {"value": 9.4, "unit": "mg/dL"},
}


def read(*resources: dict[str, Any]) -> PatientFacts:
    return reader().read(RawChart("p", tuple(resources), COMPLETE))


def observation(code: Any = None, value: Any = "9.4", unit: str = "mg/dL", **more: Any) -> dict[str, Any]:
    body = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": code or CALCIUM,
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-05-20T09:00:00Z",
        "valueQuantity": {"value": Decimal(value), "unit": unit},
    } | more
    return {key: element for key, element in body.items() if element is not None}


def condition(**more: Any) -> dict[str, Any]:
    body = {"resourceType": "Condition", "id": "c", "code": SLE, "subject": {"reference": "Patient/p"}} | more
    return {key: element for key, element in body.items() if element is not None}
