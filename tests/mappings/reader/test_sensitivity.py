"""Allergies in any resource, and lists with an entry that nobody can read."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.facts import NEEDS, Completeness, PatientFacts
from mappings.raw import RawChart
from tests.spec.harness import reader

READER = reader()
SUBJECT = {"reference": "Patient/p"}


def facts(*resources: dict[str, Any]) -> PatientFacts:
    return READER.read(RawChart("p", resources, {need: Completeness("complete") for need in NEEDS}))


def condition(text: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": "c", "subject": SUBJECT, "code": {"text": text}} | more


def medication(concept: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order", "subject": SUBJECT}
    return made | {"medicationCodeableConcept": concept} | more


def allergy(code: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    made = {"resourceType": "AllergyIntolerance", "id": "a", "patient": SUBJECT}
    return made | ({"code": code} if code else {}) | more


@pytest.mark.parametrize(
    ("title", "drugs"),
    [
        ("Allergy to diltiazem", {"diltiazem"}),
        ("Diltiazem-Unverträglichkeit", {"diltiazem"}),
        ("Minocyclinallergie", set()),
        ("Allergie à la colchicine", {"colchicine"}),
        ("Alergia a minociclina", {"minocycline"}),
        ("Intolerância ao alendronato", {"alendronate"}),
        ("Adverse reaction caused by rituximab", {"rituximab"}),
        ("No allergy to diltiazem", set()),
        ("Keine Allergie gegen Diltiazem", set()),
        ("Mother: allergic to diltiazem", set()),
        ("Lactose intolerance", set()),
        ("On diltiazem for hypertension", set()),
    ],
)
def test_an_allergy_on_the_problem_list(title: str, drugs: set[str]) -> None:
    assert {drug for found in facts(condition(title)).allergies for drug in found.drugs} == drugs


def test_an_adverse_effect_of_a_class_and_a_tolerated_dose() -> None:
    (found,) = facts(condition("Adverse effect of calcium-channel blockers, initial encounter")).allergies
    assert found.classes == {"calcium-channel-blocker"}
    (found,) = facts(
        condition("Diltiazem intolerance", note=[{"text": "Dizziness at 270 mg/d. Tolerates 180 mg/d."}])
    ).allergies
    assert found.tolerated_dose == 180


def test_a_refuted_allergy_counts_nowhere() -> None:
    refuted = {"coding": [{"code": "refuted"}]}
    assert facts(condition("Allergy to diltiazem", verificationStatus=refuted)).allergies == ()


NDC = {"coding": [{"system": "http://hl7.org/fhir/sid/ndc", "code": "00000-0001-01"}]}
ATC = "http://www.whocc.no/atc"


@pytest.mark.parametrize(
    ("resource", "state"),
    [
        (medication(NDC), "partial"),
        (medication({}), "partial"),
        (medication({"text": "---"}), "partial"),
        (medication(NDC | {"text": "METOPROLOL ER"}), "complete"),
        (medication({"text": "Losartan 50"}), "complete"),
        (medication({"coding": [{"system": ATC, "code": "C09CA01"}]}), "complete"),
        (medication({"coding": [{"system": ATC, "code": "C09"}]}), "partial"),
        (medication(NDC, status="stopped"), "complete"),
        (medication(NDC, status="entered-in-error"), "complete"),
    ],
)
def test_a_medication_that_nobody_can_read_leaves_the_list_incomplete(resource: dict[str, Any], state: str) -> None:
    assert facts(resource).need("medications").state == state


def test_a_reference_that_leads_nowhere_is_unread_and_one_with_words_is_not() -> None:
    lost = medication({}) | {"medicationReference": {"reference": "Medication/away"}}
    del lost["medicationCodeableConcept"]
    assert facts(lost).need("medications").state == "partial"
    named = lost | {"medicationReference": {"reference": "Medication/away", "display": "Ramipril 5 mg"}}
    assert facts(named).need("medications").state == "complete"


SNOMED = "http://snomed.info/sct"


@pytest.mark.parametrize(
    ("resource", "state"),
    [
        (allergy({"coding": [{"system": "urn:oid:1.2.3", "code": "A-77"}]}), "partial"),
        (allergy(None), "partial"),
        (allergy({"coding": [{"system": "urn:oid:1.2.3", "code": "A-77"}]}, category=["food"]), "complete"),
        (
            allergy({"coding": [{"system": "urn:oid:1.2.3", "code": "A-77"}]}, category=["food", "medication"]),
            "partial",
        ),
        (allergy({"coding": [{"system": SNOMED, "code": "716186003"}]}), "complete"),
        (allergy({"text": "Latex"}), "complete"),
        (allergy(None, reaction=[{"substance": {"text": "penicillin"}}]), "complete"),
        (allergy(None, verificationStatus={"coding": [{"code": "refuted"}]}), "complete"),
    ],
)
def test_an_allergy_that_nobody_can_read_leaves_the_list_incomplete(resource: dict[str, Any], state: str) -> None:
    assert facts(resource).need("allergies").state == state
