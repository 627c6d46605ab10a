"""Calcium that must never be called normal, end to end: a patient with lupus and a new stony-hard nodule, and one
calcium Observation that is not what it looks like, as prefetch to /assessments and to the hook."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from hooks.services import PREFETCH
from tests.ehr import SERVICE, USER

LOINC = "http://loinc.org"
MOLES = {"coding": [{"system": LOINC, "code": "2000-8"}]}
MASS = {"coding": [{"system": LOINC, "code": "17861-6"}]}
SUBJECT = {"subject": {"reference": "Patient/p"}}
DAY = "2026-05-20T09:00:00Z"
ADULT, INFANT = "1980-01-01", "2025-07-20"


def quantity(value: float, unit: str, **more: Any) -> dict[str, Any]:
    return {"valueQuantity": {"value": value, "unit": unit} | more}


def calcium(name: str = "ca", **more: Any) -> dict[str, Any]:
    found = {"resourceType": "Observation", "id": name, "status": "final", "code": MOLES, "effectiveDateTime": DAY}
    return found | SUBJECT | {"category": [{"coding": [{"code": "laboratory"}]}]} | more


def limits(low: float, high: float, unit: str) -> dict[str, Any]:
    return {"referenceRange": [{"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}]}


RANGE = limits(2.15, 2.57, "mmol/L")
NORMAL = quantity(2.31, "mmol/L") | RANGE


def assessed(
    service: TestClient, observations: list[dict[str, Any]], born: str, *, stored: bool = True
) -> tuple[dict[str, Any], list[Any]]:
    patient = {"resourceType": "Patient", "id": "p", "birthDate": born, "gender": "female"}
    sle = {"resourceType": "Condition", "id": "sle", "code": {"text": "Systemic lupus erythematosus"}, **SUBJECT}
    words = "New stony-hard nodule on the left elbow for 2 months."
    exam = {"resourceType": "Observation", "id": "exam", "status": "final", "code": {"text": "Skin examination"}}
    exam |= SUBJECT | {"effectiveDateTime": DAY, "valueString": words}
    prefetch: dict[str, Any] = dict.fromkeys(PREFETCH)
    prefetch |= {"patient": patient, "conditions": bundle(sle)}
    prefetch |= {"laboratory": bundle(*observations), "examinations": bundle(exam)}
    if not stored:
        prefetch["laboratory"] = {"resourceType": "Bundle", "type": "collection", "entry": by_full_url(observations)}
    body = {
        "hook": "patient-view",
        "hookInstance": "4a8d7a8b-1c8b-4d0c-9f36-2a5f1a0e6f11",
        "context": {"userId": USER, "patientId": "p"},
        "prefetch": prefetch,
    }
    assessment = service.post("/assessments", json=body)
    cards = service.post(f"/cds-services/{SERVICE}", json=body)
    assert (assessment.status_code, cards.status_code) == (200, 200), assessment.text
    return assessment.json(), cards.json()["cards"]


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in resources]}


def by_full_url(observations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries as of a transaction: nothing has an id, and refers to the others by their fullUrls."""
    said = json.dumps(observations)
    for one in observations:
        said = said.replace(f'"Observation/{one["id"]}"', f'"urn:uuid:{one["id"]}"')
    plain = [{k: v for k, v in one.items() if k != "id"} for one in json.loads(said)]
    return [{"fullUrl": f"urn:uuid:{o['id']}", "resource": r} for o, r in zip(observations, plain, strict=True)]


UNSAFE: dict[str, tuple[list[dict[str, Any]], str]] = {
    "9.4 mmol/L": ([calcium(**quantity(9.4, "mmol/L"))], ADULT),
    "9.4 mmol/L within a range of mg/dL that names no unit": (
        [calcium(**quantity(9.4, "mmol/L"), referenceRange=[{"low": {"value": 8.6}, "high": {"value": 10.2}}])],
        ADULT,
    ),
    "23.5 mmol/L": ([calcium(**quantity(23.5, "mmol/L"))], ADULT),
    "9.4 without a unit": ([calcium(code=MASS, valueQuantity={"value": 9.4})], ADULT),
    "UCUM code and unit that contradict each other": (
        [calcium(code={"text": "Calcium"}, **quantity(9.4, "mg/dL", code="mmol/L"))],
        ADULT,
    ),
    "a molar value under a code for mass": ([calcium(code=MASS, **quantity(2.31, "mmol/L"))], ADULT),
    "urine by code": (
        [calcium(code={"coding": [{"system": LOINC, "code": "17862-4", "display": "Calcium in Urine"}]}, **NORMAL)],
        ADULT,
    ),
    "urine by specimen": ([calcium(specimen={"display": "Urine, 24 h"}, **NORMAL)], ADULT),
    "urine by name": ([calcium(code={"text": "U-Calcium"}, **NORMAL)], ADULT),
    "urine by the words beside a code for serum": ([calcium(code=MOLES | {"text": "Calcium urine"}, **NORMAL)], ADULT),
    "urine by its panel": (
        [
            calcium(code={"text": "Calcium"}, **NORMAL),
            calcium("panel", code={"text": "Urine chemistry"}, hasMember=[{"reference": "Observation/ca"}]),
        ],
        ADULT,
    ),
    "preliminary": ([calcium(status="preliminary", **NORMAL)], ADULT),
    "entered in error": ([calcium(status="entered-in-error", **NORMAL)], ADULT),
    "cancelled": ([calcium(status="cancelled", **NORMAL)], ADULT),
    "no status": ([{k: v for k, v in calcium(**NORMAL).items() if k != "status"}], ADULT),
    "another patient's": ([calcium(subject={"reference": "Patient/q"}, **NORMAL)], ADULT),
    "nobody's, beside another patient's": (
        [
            {k: v for k, v in calcium(**NORMAL).items() if k != "subject"},
            calcium(id="other", subject={"reference": "Patient/q"}, **NORMAL),
        ],
        ADULT,
    ),
    "of an infant, no range": ([calcium(**quantity(2.4, "mmol/L"))], INFANT),
    "ionised, of a small child, no range": ([calcium(code={"text": "iCa"}, **quantity(1.25, "mmol/L"))], "2024-01-01"),
    "<2.6": ([calcium(**quantity(2.6, "mmol/L", comparator="<"), **RANGE)], ADULT),
    ">2.2": ([calcium(**quantity(2.2, "mmol/L", comparator=">"), **RANGE)], ADULT),
    "<2.6 in words": ([calcium(valueString="<2.6 mmol/L", **RANGE)], ADULT),
    "a comparator nobody knows": ([calcium(**quantity(2.31, "mmol/L", comparator="ca."), **RANGE)], ADULT),
    "a sentence as value": ([calcium(valueString="2.31 mmol/L, haemolysed, please repeat", **RANGE)], ADULT),
    "another test's number in its line": ([calcium(valueString="Albumin 2.31 mmol/L", **RANGE)], ADULT),
    "flag against range": ([calcium(**NORMAL, interpretation=[{"coding": [{"code": "H"}]}])], ADULT),
    "flagged abnormal, no range": (
        [calcium(**quantity(2.31, "mmol/L"), interpretation=[{"coding": [{"code": "A"}]}])],
        ADULT,
    ),
    "a word for normal flagged high": (
        [calcium(valueString="normal", interpretation=[{"coding": [{"code": "H"}]}])],
        ADULT,
    ),
    "doubted by the laboratory": ([calcium(**NORMAL, note=[{"text": "Result invalid, do not use."}])], ADULT),
    "called ionised under a code for total": (
        [calcium(code=MOLES | {"text": "Ionized calcium"}, **quantity(1.2, "mmol/L"))],
        ADULT,
    ),
    "one value high, one normal, the same moment": (
        [calcium(**NORMAL), calcium("other", **quantity(2.9, "mmol/L"), **RANGE)],
        ADULT,
    ),
    "one value high, one normal, the same day": (
        [
            calcium(**NORMAL | {"effectiveDateTime": "2026-05-20"}),
            calcium("other", **quantity(2.9, "mmol/L") | RANGE | {"effectiveDateTime": "2026-05-20"}),
        ],
        ADULT,
    ),
    "corrected from normal to high": (
        [calcium(**NORMAL), calcium("new", status="corrected", **quantity(2.9, "mmol/L"), **RANGE)],
        ADULT,
    ),
    "corrected to no value": (
        [calcium(**NORMAL), calcium("new", status="corrected", dataAbsentReason={"text": "error"})],
        ADULT,
    ),
    "a newer one that can't be read": (
        [calcium(**NORMAL), calcium("new", effectiveDateTime="2026-05-25T09:00:00Z", valueString="see report")],
        ADULT,
    ),
    "14 months old": ([calcium(**NORMAL | {"effectiveDateTime": "2025-04-01"})], ADULT),
    "a day older than a year": ([calcium(**NORMAL | {"effectiveDateTime": "2025-05-31"})], ADULT),
    "of an unknown day": ([{k: v for k, v in calcium(**NORMAL).items() if k != "effectiveDateTime"}], ADULT),
    "in the future": ([calcium(**NORMAL | {"effectiveDateTime": "2026-07-01"})], ADULT),
    "a panel called normal": ([calcium(code={"text": "Routine bloods"}, valueString="normal")], ADULT),
}


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("what", UNSAFE)
def test_never_normal(service: TestClient, what: str, stored: bool) -> None:
    observations, born = UNSAFE[what]
    assessment, cards = assessed(service, observations, born, stored=stored)
    assert assessment["criteria"]["lesion"]["status"] == "met", "the calcium alone is in question"
    assert assessment["criteria"]["calcium"]["status"] not in ("normal", "stale")
    assert assessment["grade"] in ("incomplete", "alternative", "urgent", "none")
    assert not any("normal calcium" in card["summary"].lower() for card in cards)


@pytest.mark.parametrize("value", [NORMAL, quantity(2.31, "mmol/L"), {"valueString": "2.31 mmol/L (2.15-2.57)"}])
def test_the_plain_calcium_beside_them_is_normal(service: TestClient, value: dict[str, Any]) -> None:
    assessment, cards = assessed(service, [calcium(**value)], ADULT)
    assert assessment["criteria"]["calcium"]["status"] == "normal"
    assert assessment["grade"] in ("possible", "probable")
    assert cards
