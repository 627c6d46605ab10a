"""The same patient in STU3, R4 and R5: the same facts, whether the release is known or only the shape."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mappings.facts import PatientFacts
from mappings.raw import RawChart
from mappings.versions import REPLACES, Version, as_r4, version_of
from tests.charts import COMPLETE
from tests.public_data import charts
from tests.spec.harness import reader

SUBJECT = {"subject": {"reference": "Patient/p"}}
SLE = {"coding": [{"system": "http://snomed.info/sct", "code": "200936003"}], "text": "Lupus"}
CALCIUM = {"coding": [{"system": "http://loinc.org", "code": "2000-8"}]}
DRUG = {"text": "Diltiazem 60 mg"}
BIOPSY = {"text": "Skin biopsy of left forearm"}
XRAY = {"text": "X-ray of left elbow"}
ADHERENCE = "http://hl7.org/fhir/CodeSystem/medication-statement-adherence"


def body(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": name, **SUBJECT} | more


def shared() -> list[dict[str, Any]]:
    value = {"valueQuantity": {"value": 2.31, "unit": "mmol/L"}}
    return [
        {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01", "gender": "female"},
        body("Observation", "ca", status="final", code=CALCIUM, effectiveDateTime="2026-05-20T09:00:00Z", **value),
    ]


def status(code: str) -> dict[str, Any]:
    return {"coding": [{"code": code}]}


DOSE = {"value": 60, "unit": "mg"}
TIMING = {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}}
R4: list[dict[str, Any]] = [
    body(
        "Condition",
        "sle",
        code=SLE,
        clinicalStatus=status("active"),
        verificationStatus=status("provisional"),
        recordedDate="2020-01-02",
    ),
    body("Condition", "old", code={"text": "Dermatomyositis"}, verificationStatus=status("refuted")),
    body(
        "Observation",
        "exam",
        status="final",
        code={"text": "Skin examination"},
        note=[{"text": "Stony-hard nodule on the left elbow."}],
        effectiveDateTime="2026-05-20",
    ),
    body(
        "DiagnosticReport",
        "dr",
        status="final",
        code=XRAY,
        effectiveDateTime="2026-05-20",
        conclusion="Soft tissue calcification of the left elbow.",
        conclusionCode=[SLE],
    ),
    body(
        "MedicationRequest",
        "dilt",
        status="active",
        intent="order",
        medicationCodeableConcept=DRUG,
        dosageInstruction=[{"timing": TIMING, "doseAndRate": [{"doseQuantity": DOSE}]}],
    ),
    body("MedicationStatement", "not", status="not-taken", medicationCodeableConcept={"text": "Colchicine"}),
    body("Procedure", "bx", status="completed", code=BIOPSY, performedDateTime="2026-05-01"),
    body("Procedure", "never", status="not-done", code={"text": "Kidney transplant"}),
    {"resourceType": "AllergyIntolerance", "id": "al", "patient": SUBJECT["subject"]}
    | {"code": {"text": "Penicillin"}, "verificationStatus": status("confirmed")}
    | {"reaction": [{"manifestation": [{"text": "Rash"}]}]},
]


def in_r4() -> list[dict[str, Any]]:
    return shared() + copy.deepcopy(R4) + [body("ServiceRequest", "sr", status="active", intent="order", code=XRAY)]


def in_stu3() -> list[dict[str, Any]]:
    found = copy.deepcopy(R4)
    by_id = {r["id"]: r for r in found}
    for name in ("sle", "old", "al"):
        for element in ("clinicalStatus", "verificationStatus"):
            if element in by_id[name]:
                by_id[name][element] = by_id[name][element]["coding"][0]["code"]
    by_id["sle"]["assertedDate"] = by_id["sle"].pop("recordedDate")
    by_id["sle"]["context"] = {"reference": "Encounter/e"}
    by_id["exam"]["comment"] = by_id["exam"].pop("note")[0]["text"]
    by_id["exam"]["context"] = {"reference": "Encounter/e"}
    by_id["dr"]["codedDiagnosis"] = by_id["dr"].pop("conclusionCode")
    by_id["dilt"]["dosageInstruction"] = [{"timing": TIMING, "doseQuantity": DOSE}]
    by_id["not"] |= {"status": "active", "taken": "n"}
    by_id["never"] |= {"status": "completed", "notDone": True}
    return shared() + found + [body("ProcedureRequest", "sr", status="active", intent="order", code=XRAY)]


def in_r5() -> list[dict[str, Any]]:
    found = copy.deepcopy(R4)
    by_id = {r["id"]: r for r in found}
    by_id["sle"]["participant"] = [{"function": {"text": "author"}, "actor": {"reference": "Practitioner/x"}}]
    by_id["dr"]["conclusionCode"] = [{"concept": SLE}]
    by_id["dilt"]["medication"] = {"concept": by_id["dilt"].pop("medicationCodeableConcept")}
    by_id["not"]["medication"] = {"concept": by_id["not"].pop("medicationCodeableConcept")}
    by_id["not"] |= {
        "status": "recorded",
        "adherence": {"code": {"coding": [{"system": ADHERENCE, "code": "not-taking"}]}},
    }
    by_id["bx"]["occurrenceDateTime"] = by_id["bx"].pop("performedDateTime")
    by_id["al"]["reaction"] = [{"manifestation": [{"concept": {"text": "Rash"}}]}]
    return shared() + found + [body("ServiceRequest", "sr", status="active", intent="order", code={"concept": XRAY})]


def read(resources: list[dict[str, Any]], version: Version | None) -> PatientFacts:
    facts = reader().read(RawChart("p", tuple(resources), COMPLETE, version=version))
    renamed = tuple(replace(a, ref=a.ref.replace("ProcedureRequest", "ServiceRequest")) for a in facts.actions)
    return replace(facts, actions=renamed, quarantined=())


@pytest.mark.parametrize(
    ("resources", "version"),
    [
        (in_r4(), None),
        (in_r4(), "R4B"),
        (in_stu3(), "STU3"),
        (in_stu3(), None),
        (in_r5(), "R5"),
        (in_r5(), None),
    ],
)
def test_one_patient_in_every_release(resources: list[dict[str, Any]], version: Version | None) -> None:
    expected = read(in_r4(), "R4")
    assert {f.certainty for f in expected.findings if "ctd.sle" in f.concepts} == {"suspected"}
    assert {d for m in expected.medications for d in m.drugs} == {"diltiazem"}
    assert [(m.daily_dose, m.state) for m in expected.medications] == [(180, "active")]
    assert [a.kind for a in expected.actions if "radiograph" in a.workup].count("ordered") == 1
    assert read(resources, version) == expected


def test_an_observation_that_replaces_another_in_stu3_is_the_extension_of_r4() -> None:
    related = [{"type": "replaces", "target": {"reference": "Observation/a"}}]
    found = as_r4(body("Observation", "b", related=related), "STU3")
    assert found["extension"] == [{"url": REPLACES, "valueReference": {"reference": "Observation/a"}}]


def test_a_referral_of_several_services_is_one_order() -> None:
    asked = [{"coding": [{"code": "a"}], "text": "Dermatology"}, {"text": "Rheumatology"}]
    found = as_r4(body("ReferralRequest", "r", serviceRequested=asked, status="suspended"), "STU3")
    assert (found["code"]["text"], found["status"]) == ("Dermatology, Rheumatology", "on-hold")


@pytest.mark.parametrize(
    ("said", "version"),
    [("3.0.2", "STU3"), ("4.0.1", "R4"), ("4.3.0", "R4B"), ("5.0.0", "R5"), ("1.0.2", None), (None, None), (4, None)],
)
def test_the_release_of_a_capability_statement(said: object, version: str | None) -> None:
    assert version_of(said) == version


def test_every_stu3_patient_of_the_public_data_is_read_the_same_with_and_without_the_release() -> None:
    """Their Observations have the status "unknown", which is never used; made final they show that values are read."""
    seen: set[str] = set()
    for chart in charts("stu3-smart"):
        final = [r | {"status": "final"} if r["resourceType"] == "Observation" else r for r in chart.resources]
        known, guessed = (
            reader().read(RawChart(chart.patient_id, tuple(final), COMPLETE, version=version))
            for version in ("STU3", None)
        )
        assert known == guessed
        seen |= {name for name in ("results", "medications", "allergies", "findings") if getattr(known, name)}
    assert seen >= {"results", "medications", "allergies"}


INNER = ("coding", "concept", "text", "type", "target", "reference", "display", "manifestation", "item", "code", "id")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(INNER),
            inner,
        )
    ),
    max_leaves=8,
)
ELEMENT_NAMES = """
    clinicalStatus comment related context codedDiagnosis notDone taken notGiven serviceRequested status created
    medication adherence conclusionCode occurrenceDateTime ingredient code reaction bodyStructure contained note
    hasMember derivedFrom extension reference target type subject id
"""
TYPE_NAMES = """
    Condition Observation DiagnosticReport Procedure MedicationRequest MedicationStatement MedicationAdministration
    ProcedureRequest ReferralRequest DocumentReference ServiceRequest Medication AllergyIntolerance
"""
ELEMENTS, TYPES = ELEMENT_NAMES.split(), TYPE_NAMES.split()


@given(
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from(ELEMENTS), JSON, max_size=5),
    st.sampled_from(["STU3", "R4", "R5", None]),
)
def test_no_shape_raises_and_nothing_given_is_changed(
    kind: str, elements: dict[str, Any], version: Version | None
) -> None:
    resource = {"resourceType": kind} | elements
    before = copy.deepcopy(resource)
    once = as_r4(resource, version)
    assert resource == before
    reader().read(RawChart("p", (resource | SUBJECT,), COMPLETE, version=version))
    if version == "R4":
        assert once is resource
