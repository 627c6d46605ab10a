"""The resources that accepting a suggestion creates."""

from __future__ import annotations

import pytest
from fhir.resources.R4B import get_fhir_model_class
from msgspec.structs import replace

from hooks.drafts import finding, medication_request, service_request
from hooks.knowledge.card_schema import CodingEntry
from hooks.model import Assessment
from mappings.codelists import Coding
from mappings.facts import Site
from mappings.reader.identity import reference_of
from tests.hooks.cards.examples import EXAMPLES, understand

CODES = (Coding("http://loinc.org", "2777-1", "Phosphate [Mass/volume] in Serum or Plasma"),)


@pytest.fixture
def assessment() -> Assessment:
    return understand(EXAMPLES["detection-likely-with-options"])[0]


def valid(resource: dict[str, object]) -> dict[str, object]:
    get_fhir_model_class(str(resource["resourceType"])).model_validate(resource)
    return resource


def test_a_service_request(assessment: Assessment) -> None:
    site = Site("forearm", "forearm", "left", "14975008", "Forearm structure")
    made = valid(service_request(assessment, "phosphate", CODES, "a note", sites=[(site, "left forearm")]))
    assert made == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "priority": "routine",
        "code": {
            "coding": [{"system": CODES[0].system, "code": "2777-1", "display": CODES[0].display}],
            "text": "phosphate",
        },
        "subject": {"reference": "Patient/patient-1"},
        "authoredOn": "2026-06-01",
        "reasonReference": [{"reference": "Condition/condition-1"}, {"reference": "Observation/exam-1"}],
        "bodySite": [
            {
                "text": "left forearm",
                "coding": [{"system": "http://snomed.info/sct", "code": "14975008", "display": "Forearm structure"}],
            }
        ],
        "note": [{"text": "a note"}],
    }  # fmt: skip


def test_reasons_are_only_what_the_element_may_refer_to(assessment: Assessment) -> None:
    lesion = replace(assessment.criteria.lesion, evidence=("Procedure/1", "DiagnosticReport/2", "Observation/3"))
    ctd = replace(assessment.criteria.ctd, evidence=("FamilyMemberHistory/1",))
    other = replace(assessment, criteria=replace(assessment.criteria, lesion=lesion, ctd=ctd))
    order = valid(service_request(other, "x", CODES, "a note"))
    drug = valid(medication_request(other, "diltiazem", CODES, "120 mg once daily", "a note"))
    assert order["reasonReference"] == [{"reference": "DiagnosticReport/2"}, {"reference": "Observation/3"}]
    assert drug["reasonReference"] == [{"reference": "Observation/3"}]
    nothing = replace(lesion, evidence=("Procedure/1",))
    bare = replace(other, criteria=replace(other.criteria, lesion=nothing))
    assert "reasonReference" not in valid(service_request(bare, "x", CODES, "a note"))
    assert "reasonReference" not in valid(medication_request(bare, "diltiazem", CODES, "120 mg", "a note"))


def test_nothing_refers_to_a_resource_that_came_without_an_id(assessment: Assessment) -> None:
    """A server that checks references would refuse the order."""
    unnamed = {"resourceType": "Condition", "subject": {"reference": "Patient/p"}}
    lesion = replace(assessment.criteria.lesion, evidence=(reference_of(unnamed), "Observation/3"))
    other = replace(assessment, criteria=replace(assessment.criteria, lesion=lesion))
    order = valid(service_request(other, "x", CODES, "a note"))
    assert order["reasonReference"][-1] == {"reference": "Observation/3"}
    assert "without" not in str(order)


def test_a_medication_request(assessment: Assessment) -> None:
    made = valid(medication_request(assessment, "diltiazem", CODES, "120 mg once daily", "off-label", "visit-1"))
    assert (made["status"], made["intent"]) == ("draft", "proposal")
    assert made["dosageInstruction"] == [{"text": "120 mg once daily"}]
    assert made["encounter"] == {"reference": "Encounter/visit-1"}


SKIN = CodingEntry(system="http://snomed.info/sct", code="95324001", display="Skin lesion")
ULCER = CodingEntry(system="http://snomed.info/sct", code="46742003", display="Skin ulcer")


def test_a_finding(assessment: Assessment) -> None:
    site = (Site("hand", "finger", "right"), "right finger")
    code = ("Skin lesion finding: consistency", SKIN)
    made = valid(finding(assessment, code, ("hard nodule", None), "a note", site, performer="Practitioner/1"))
    assert made["status"] == "final"
    assert made["code"] == {"coding": [SKIN.model_dump()], "text": "Skin lesion finding: consistency"}
    assert made["valueCodeableConcept"] == {"text": "hard nodule"}
    assert made["bodySite"] == {"text": "right finger"}
    assert made["performer"] == [{"reference": "Practitioner/1"}]
    assert made["category"] == [
        {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "exam"}]}
    ]
    coded = valid(finding(assessment, code, ("ulcerated nodule", ULCER), "a note"))
    assert coded["valueCodeableConcept"] == {"coding": [ULCER.model_dump()], "text": "ulcerated nodule"}
    assert "bodySite" not in coded
    assert "performer" not in coded


def test_an_urgent_card_makes_urgent_orders(assessment: Assessment) -> None:
    urgent = replace(assessment, card="urgent")
    assert service_request(urgent, "x", CODES, "a note")["priority"] == "urgent"
