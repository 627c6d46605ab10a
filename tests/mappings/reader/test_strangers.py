"""A question about this patient that is answered with somebody else's resources only: that is no answer."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.facts import Completeness, Need
from tests.mappings.reader.sent import CALCIUM_RESULT, read

LUPUS = {"coding": [{"system": "http://snomed.info/sct", "code": "200936003"}]}
REASON = "nothing but resources of another patient"


def condition(owner: str, **more: Any) -> dict[str, Any]:
    subject = {"reference": f"Patient/{owner}"}
    return {"resourceType": "Condition", "id": f"of-{owner}", "code": LUPUS, "subject": subject} | more


def patient(name: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "birthDate": "1980-01-01"}


@pytest.mark.parametrize(
    ("strange", "need"),
    [
        (condition("q"), "conditions"),
        (condition("q", resourceType="Procedure", status="completed"), "procedures"),
        (patient("q"), "patient"),
    ],
)
def test_what_this_patient_has_is_then_unknown_and_not_none(strange: dict[str, Any], need: Need) -> None:
    facts = read(strange)
    assert facts.findings == ()
    assert facts.completeness[need] == Completeness("partial", REASON)
    assert {state.state for other, state in facts.completeness.items() if other != need} == {"complete"}


@pytest.mark.parametrize("own", [condition("p"), condition("p", code={"text": "Hypertension"})])
def test_beside_one_of_this_patients_it_is_an_answer(own: dict[str, Any]) -> None:
    assert {state.state for state in read(condition("q"), own).completeness.values()} == {"complete"}
    assert {state.state for state in read(patient("q"), patient("p")).completeness.values()} == {"complete"}


@pytest.mark.parametrize(
    "reference", ["RelatedPerson/mother", "Patient/foetus", "https://ehr.example/fhir/Patient/donor"]
)
def test_what_was_made_of_another_person_is_left_out(reference: str) -> None:
    facts = read(CALCIUM_RESULT | {"focus": [{"reference": reference}]})
    assert facts.results == ()
    assert [(q.reference, q.reason) for q in facts.quarantined] == [
        ("Observation/ca", "tells of another person than the patient")
    ]
    assert facts.completeness["observations"].state == "complete"


@pytest.mark.parametrize("reference", ["Patient/p", "Condition/1", "BodyStructure/1", "#device"])
def test_what_was_made_of_a_part_of_this_patient_counts(reference: str) -> None:
    assert len(read(CALCIUM_RESULT | {"focus": [{"reference": reference}]}).results) == 1
