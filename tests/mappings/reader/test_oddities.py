"""What real servers send, one test an oddity: it is read as it is meant, or left out and named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mappings.facts import NEEDS, Completeness, PatientFacts, Result
from mappings.raw import RawChart
from tests.spec.harness import reader

LOINC, SCT = "http://loinc.org", "http://snomed.info/sct"
COMPLETE = {need: Completeness("complete") for need in NEEDS}
CALCIUM = {"coding": [{"system": LOINC, "code": "17861-6", "display": "Calcium [Mass/volume] in Serum or Plasma"}]}
SLE = {"coding": [{"system": SCT, "code": "200936003", "display": "Lupus erythematosus"}]}


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


# findings answered in their own form


def lesions(name: str, **answer: Any) -> list[tuple[str, str, str]]:
    """(kind, hardness, certainty) of what an examination's Observation describes."""
    body = {"resourceType": "Observation", "id": "e", "status": "final", "code": {"text": name}} | answer
    return [(le.kind, le.hardness, le.certainty) for le in read(body).lesions]


@pytest.mark.parametrize(
    ("name", "value", "hardness", "region"),
    [
        ("Nodule", "hard nodule left index finger", "definite", "hand"),
        ("Nodule", "soft, mobile nodule right forearm", "against", "forearm"),
        ("Skin nodules", "multiple hard nodules on both elbows", "definite", "elbow"),
        ("Nodules of the left knee", "two hard nodules", "definite", "knee"),
    ],
)
def test_the_name_of_a_finding_is_a_heading_and_no_second_lesion(
    name: str, value: str, hardness: str, region: str
) -> None:
    body = {"resourceType": "Observation", "id": "e", "status": "final", "code": {"text": name}, "valueString": value}
    (found,) = read(body).lesions
    assert (found.hardness, [site.region for site in found.sites]) == (hardness, [region])


def test_a_heading_over_a_denial_is_no_lesion() -> None:
    assert {certainty for *_, certainty in lesions("Nodules", valueString="no nodules seen")} == {"absent"}


@pytest.mark.parametrize(
    "answer", [{"valueInteger": 0}, {"valueQuantity": {"value": 0, "unit": "{count}"}}, {"valueString": "0"}]
)
def test_a_count_of_none_is_an_absence(answer: dict[str, Any]) -> None:
    assert all(certainty == "absent" for *_, certainty in lesions("Number of hard nodules", **answer))
    within = {"component": [{"code": {"text": "Number of hard nodules"}} | answer]}
    assert all(certainty == "absent" for *_, certainty in lesions("Skin", **within))
    some = {"component": [{"code": {"text": "Number of hard nodules"}, "valueInteger": 3}]}
    assert ("nodule", "definite", "confirmed") in lesions("Skin", **some)


def test_vital_signs_as_texts_of_components() -> None:
    """ "Pulse: 44 regular", "BP: 84/50": some monitors send every component as a text."""
    parts = [
        {"code": {"text": "Pulse"}, "valueString": "44 regular"},
        {"code": {"text": "BP"}, "valueString": "84/50"},
    ]
    found = read(observation({"text": "Vitals"}, valueQuantity=None, component=parts)).results
    assert {(r.analyte, r.canonical_low, r.problem) for r in found} == {
        ("heart-rate", Decimal("44"), None),
        ("systolic", Decimal("84"), None),
        ("diastolic", Decimal("50"), None),
    }


@pytest.mark.parametrize("words", ["regular", "irregularly irregular", "44 to 60 regular"])
def test_a_pulse_that_is_no_number_is_not_understood(words: str) -> None:
    parts = [{"code": {"text": "Pulse"}, "valueString": words}]
    (result,) = read(observation({"text": "Vitals"}, valueQuantity=None, component=parts)).results
    assert result.canonical_low is None or result.problem is not None


def test_an_egfr_by_the_name_of_its_formula() -> None:
    (result,) = read(
        observation({"text": "GFR est (CKD-EPI 2021)"}, valueQuantity=None, valueString="24 mL/min/1.73m2 (L)")
    ).results
    assert (result.analyte, result.canonical_low) == ("egfr", Decimal("24"))


def panel_of(*members: dict[str, Any], **more: Any) -> tuple[dict[str, Any], ...]:
    named = [{"reference": f"Observation/{member['id']}"} for member in members]
    panel = observation({"text": "Skin lesion panel"}, valueQuantity=None, id="panel", hasMember=named, **more)
    return (panel, *members)


def member(id_: str, name: str, value: str | None = None, **more: Any) -> dict[str, Any]:
    return observation({"text": name}, valueQuantity=None, id=id_, valueString=value, **more)


@pytest.mark.parametrize(
    ("resources", "regions"),
    [
        (panel_of(member("a", "Hard nodule"), bodySite={"text": "Left elbow"}), ["elbow"]),
        (panel_of(member("a", "Hard nodule"), member("b", "Location", "left elbow")), ["elbow"]),
        (panel_of(member("a", "Hard nodule"), member("b", "Ulcer", "none", bodySite={"text": "Knee"})), ["knee"]),
        (
            panel_of(
                member("a", "Hard nodule"), member("b", "Location", "left elbow"), member("c", "Location", "right knee")
            ),
            [],
        ),
        (panel_of(member("a", "Hard nodule", bodySite={"text": "Thigh"}), bodySite={"text": "Elbow"}), ["thigh"]),
    ],
)
def test_the_place_of_a_panel_is_that_of_the_lesion_in_it(resources: Any, regions: list[str]) -> None:
    (lesion,) = (le for le in read(*resources).lesions if le.hardness == "definite")
    assert [site.region for site in lesion.sites] == regions
