"""What real servers send, one test an oddity: it is read as it is meant, or left out and named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mappings.facts import Result
from tests.mappings.reader.sent import CALCIUM, SLE, condition, observation, read


def result(*resources: dict[str, Any]) -> Result:
    (found,) = read(*resources).results
    return found


# identity


@pytest.mark.parametrize(
    "reference", ["Patient/p", "https://ehr.example/fhir/Patient/p", "Patient/p/_history/4", "urn:uuid:p"]
)
def test_references_to_this_patient(reference: str) -> None:
    assert read(observation(subject={"reference": reference})).results


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ({"reference": "Patient/q"}, "belongs to another patient"),
        ({"reference": "Group/p"}, "belongs to another patient"),
        ({"display": "Somebody"}, "subject has no reference"),
        ({"reference": "#gone"}, "subject not found"),
        ({"reference": 7}, "subject not readable"),
    ],
)
def test_other_subjects_are_left_out_and_named(subject: Any, reason: str) -> None:
    facts = read(observation(subject=subject))
    assert facts.results == ()
    assert [(q.reference, q.reason) for q in facts.quarantined] == [("Observation/o", reason)]


def test_a_resource_that_names_nobody_is_this_patients_unless_the_chart_holds_another() -> None:
    assert read(observation(subject=None)).results
    for other in (
        condition(id="x", subject={"reference": "Patient/q"}),
        {"resourceType": "Patient", "id": "q"},
    ):
        facts = read(observation(subject=None), other)
        assert facts.results == ()
        assert ("Observation/o", "no subject") in [(q.reference, q.reason) for q in facts.quarantined]


def test_a_subject_in_a_broken_contained_element_does_not_raise() -> None:
    facts = read(observation(subject={"reference": "#x"}, contained=5))
    assert facts.results == ()
    assert len(facts.quarantined) == 1


def test_the_newest_version_wins_and_an_error_takes_the_old_one_away() -> None:
    old = observation(meta={"lastUpdated": "2026-05-20T10:00:00Z"})
    wrong = observation(meta={"lastUpdated": "2026-05-21T10:00:00Z"}, status="entered-in-error")
    facts = read(wrong, old)
    assert facts.results == ()
    assert [q.reason for q in facts.quarantined] == ["status entered-in-error"]


def test_the_same_result_under_two_ids_counts_once_but_two_antibodies_are_two() -> None:
    assert len(read(observation(), observation(id="copy")).results) == 1
    names = ("Anti-TIF1 gamma", "Anti-NXP2")
    both = [observation({"text": name}, "5", "U/mL", id=f"a{i}") for i, name in enumerate(names)]
    assert {r.antibody for r in read(*both).results} == {"anti-tif1g", "anti-nxp2"}


# status


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_usable_statuses(status: str) -> None:
    assert result(observation(status=status)).usable


def test_preliminary_stays_preliminary() -> None:
    found = result(observation(status="preliminary"))
    assert (found.status, found.usable) == ("preliminary", False)


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered", "unknown", None])
def test_other_statuses_are_dropped_and_named(status: str | None) -> None:
    facts = read(observation(status=status))
    assert facts.results == ()
    assert facts.quarantined[0].reason == (f"status {status}" if status else "status missing")


@pytest.mark.parametrize(
    ("verification", "certainty"),
    [
        (None, "confirmed"),
        ({"coding": [{"code": "confirmed"}]}, "confirmed"),
        ({"coding": [{"code": "provisional"}]}, "suspected"),
        ({"coding": [{"code": "differential"}]}, "suspected"),
        ({"text": "Unconfirmed"}, "suspected"),
        ({"text": "Working diagnosis"}, "suspected"),
        ("confirmed", "confirmed"),
        ("provisional", "suspected"),
    ],
)
def test_verification_status(verification: Any, certainty: str) -> None:
    (finding,) = [f for f in read(condition(verificationStatus=verification)).findings if "ctd.sle" in f.concepts]
    assert finding.certainty == certainty


@pytest.mark.parametrize("code", ["refuted", "entered-in-error"])
def test_refuted_conditions_are_dropped_and_named(code: str) -> None:
    facts = read(condition(verificationStatus={"coding": [{"code": code}]}))
    assert facts.findings == ()
    assert facts.quarantined[0].reference == "Condition/c"


@pytest.mark.parametrize(
    ("clinical", "abatement", "course"),
    [
        (None, None, "active"),
        ("active", None, "active"),
        ("active", "2020", "active"),
        ("remission", None, "active"),
        ("inactive", None, "active"),
        ("inactive", "2020", "resolved"),
        ("resolved", None, "resolved"),
        (None, "2020", "resolved"),
    ],
)
def test_clinical_status(clinical: str | None, abatement: str | None, course: str) -> None:
    status = {"coding": [{"code": clinical}]} if clinical else None
    findings = read(condition(clinicalStatus=status, abatementDateTime=abatement)).findings
    assert {f.course for f in findings if "ctd.sle" in f.concepts} == {course}


# values


def test_no_value_with_a_reason_has_no_word_either() -> None:
    gone = {"coding": [{"code": "error"}]}
    found = result(observation(valueQuantity=None, dataAbsentReason=gone, interpretation=[{"text": "Normal"}]))
    assert (found.problem, found.word, found.usable) == ("no-value", None, False)


@pytest.mark.parametrize(
    ("flags", "flag", "problem"),
    [
        (["N"], "normal", None),
        (["H"], "high", "flag-conflict"),
        (["A"], "abnormal", "flag-conflict"),
        (["N", "H"], "abnormal", "flag-conflict"),
        ([], None, None),
    ],
)
def test_flag_against_range(flags: list[str], flag: str | None, problem: str | None) -> None:
    limits = [{"low": {"value": Decimal("8.6"), "unit": "mg/dL"}, "high": {"value": Decimal("10.2"), "unit": "mg/dL"}}]
    marks = [{"coding": [{"code": code}]} for code in flags]
    found = result(observation(referenceRange=limits, interpretation=marks))
    assert (found.flag, found.problem) == (flag, problem)


def test_a_flag_against_a_range_with_one_limit() -> None:
    upper = [{"high": {"value": Decimal("9.0"), "unit": "mg/dL"}}]
    assert result(observation(referenceRange=upper, interpretation=[{"text": "N"}])).problem == "flag-conflict"
    assert result(observation(referenceRange=upper, interpretation=[{"text": "L"}])).problem == "flag-conflict"
    lower = [{"low": {"value": Decimal("8.0"), "unit": "mg/dL"}}]
    assert result(observation(referenceRange=lower, interpretation=[{"text": "H"}])).problem is None


def test_the_word_normal_with_a_flag_for_high_is_a_conflict() -> None:
    found = result(observation(valueQuantity=None, valueString="Normal", interpretation=[{"text": "H"}]))
    assert (found.word, found.problem) == ("normal", "flag-conflict")


def test_a_lipid_code_with_a_sentence_as_value_has_no_value() -> None:
    """Seen at a vendor: LOINC 2093-3 with a microbiology sentence in valueString."""
    sentence = "No growth after five days of incubation"
    found = read(observation(valueQuantity=None, valueString=sentence)).results
    assert [r.usable for r in found] == [False]


def test_dual_coding_with_a_local_code_first() -> None:
    local = {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.768282", "code": "1540", "display": "CALCIUM"}
    assert result(observation({"coding": [local, *CALCIUM["coding"]]})).analyte == "calcium-total"


# specimens


@pytest.mark.parametrize(
    "more",
    [
        {"specimen": {"display": "24h urine"}},
        {
            "specimen": {"reference": "#s"},
            "contained": [{"resourceType": "Specimen", "id": "s", "type": {"text": "Urine"}}],
        },
    ],
)
@pytest.mark.parametrize("code", [CALCIUM, {"text": "Calcium"}])
def test_urine_is_never_serum_even_with_a_code_for_serum(code: Any, more: Any) -> None:
    assert read(observation(code, **more)).results == ()


def test_the_specimen_may_be_a_resource_of_the_chart() -> None:
    urine = {"resourceType": "Specimen", "id": "s", "type": {"text": "Urine"}, "subject": {"reference": "Patient/p"}}
    assert read(observation(specimen={"reference": "Specimen/s"}), urine).results == ()


def test_a_urine_panel_holds_no_serum_calcium() -> None:
    part = {"code": {"text": "Calcium"}, "valueQuantity": {"value": 9, "unit": "mg/dL"}}
    assert read(observation({"text": "Urine chemistry"}, valueQuantity=None, component=[part])).results == ()
    found = read(observation({"text": "Chemistry panel"}, valueQuantity=None, component=[part])).results
    assert [r.analyte for r in found] == ["calcium-total"]


def test_uric_acid_in_german_is_no_urine_test() -> None:
    assert result(observation({"text": "Harnsäure"}, "5.1", "mg/dL")).analyte == "urate"


# versions


def test_stu3_and_r5_shapes_give_the_same_drug() -> None:
    subject = {"subject": {"reference": "Patient/p"}}
    r4 = {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order", **subject}
    name = {"text": "Diltiazem 60 mg"}
    contained = {"contained": [{"resourceType": "Medication", "id": "x", "code": name}]}
    shapes: list[dict[str, Any]] = [
        r4 | {"medicationCodeableConcept": name},
        r4 | {"medication": {"concept": name}},
        r4 | contained | {"medicationReference": {"reference": "#x"}},
        r4 | contained | {"medication": {"reference": {"reference": "#x"}}},
    ]
    for shape in shapes:
        (found,) = read(shape).medications
        assert found.drugs == {"diltiazem"}, shape
    not_taken = {"resourceType": "MedicationStatement", "id": "m", "status": "active", "taken": "n", **subject}
    assert read(not_taken | {"medicationCodeableConcept": name}).medications == ()


# words


@pytest.mark.parametrize("words", ["Rule out lupus", "Family history of scleroderma", "Lupus anticoagulant positive"])
def test_text_never_confirms_a_disease_by_halves(words: str) -> None:
    findings = read(condition(code={"text": words})).findings
    assert not [f for f in findings if f.certainty == "confirmed" and any(c.startswith("ctd.") for c in f.concepts)]


def test_a_disease_named_in_an_observation_is_suspected_only() -> None:
    coded = observation({"text": "Problem noted"}, valueQuantity=None, valueCodeableConcept=SLE)
    family = observation({"text": "Family history of"}, valueQuantity=None, valueCodeableConcept=SLE)
    assert {f.certainty for f in read(coded).findings if "ctd.sle" in f.concepts} == {"suspected"}
    assert not [f for f in read(family).findings if "ctd.sle" in f.concepts and f.certainty != "absent"]


def test_confidential_is_marked() -> None:
    tag = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
    assert all(f.confidential for f in read(condition(meta=tag)).findings)


# doses


def dosage(amount: int, times: int, **more: Any) -> dict[str, Any]:
    timing = {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}}
    return {"timing": timing, "doseAndRate": [{"doseQuantity": {"value": amount, "unit": "mg"}}]} | more


@pytest.mark.parametrize(
    ("dosages", "daily"),
    [
        ([dosage(60, 3)], Decimal(180)),
        ([dosage(60, 1), dosage(30, 1)], Decimal(90)),
        ([dosage(60, 1, sequence=1), dosage(60, 2, sequence=2)], Decimal(120)),
        ([dosage(60, 1), {"text": "as told"}], None),
    ],
)
def test_several_dosages_are_never_read_as_their_first_alone(dosages: list[Any], daily: Decimal | None) -> None:
    drug = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"text": "Diltiazem"},
        "dosageInstruction": dosages,
    }
    (found,) = read(drug).medications
    assert found.daily_dose == daily
