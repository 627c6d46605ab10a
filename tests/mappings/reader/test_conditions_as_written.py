"""Conditions as hospitals write them: what counts as a connective tissue disease or a lesion, and how surely."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.facts import PatientFacts
from mappings.raw import RawChart
from tests.charts import COMPLETE
from tests.spec.harness import reader

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01", "gender": "female"}


def read(code: Any, **more: Any) -> PatientFacts:
    body = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}, "recordedDate": "2026-05-01"}
    return reader().read(RawChart("p", (PATIENT, body | {"code": code} | more), COMPLETE))


def coded(system: str | None, code: str, display: str | None = None) -> dict[str, Any]:
    coding = {"system": system, "code": code, "display": display}
    return {"coding": [{key: value for key, value in coding.items() if value}]}


def diseases(facts: PatientFacts) -> dict[str, str]:
    return {c: f.certainty for f in facts.findings for c in f.concepts if c.startswith("ctd.")}


EPIC = coded("urn:oid:1.2.840.114350.1.13.0.1.7.2.696871", "1234")
EPIC["coding"].append({"system": "http://snomed.info/sct", "code": "55464009"})
EPIC["text"] = "Systemic lupus erythematosus, unspecified SLE type, unspecified organ involvement status (HCC)"


@pytest.mark.parametrize(
    ("code", "concept", "certainty"),
    [
        (coded(ICD, "M32.9"), "ctd.sle", "confirmed"),
        (coded(ICD, "m329"), "ctd.sle", "confirmed"),
        (coded("urn:oid:2.16.840.1.113883.6.90", "M33.13"), "ctd.dermatomyositis", "confirmed"),
        (coded(None, "M32.9", "SLE"), "ctd.sle", "confirmed"),
        (EPIC, "ctd.sle", "confirmed"),
        ("Dermatomyositis (HCC)", "ctd.dermatomyositis", "confirmed"),
        ("h/o dermatomyositis", "ctd.dermatomyositis", "confirmed"),
        ("lcSSc", "ctd.systemic_sclerosis_limited", "confirmed"),
        ("JDM", "ctd.dermatomyositis_juvenile", "confirmed"),
        ("Systemischer Lupus erythematodes", "ctd.sle", "confirmed"),
        ("Lupus eritematoso sistémico", "ctd.sle", "confirmed"),
        ("Lúpus eritematoso sistêmico", "ctd.sle", "confirmed"),
        ("Sclérodermie systémique", "ctd.systemic_sclerosis", "confirmed"),
        ("<b>SLE</b> &amp; Sj&ouml;gren", "ctd.sjogren", "confirmed"),
        ("?SLE", "ctd.sle", "suspected"),
        ("r/o lupus", "ctd.sle", "suspected"),
        ("SLE - ruled out", "ctd.sle", "absent"),
    ],
)
def test_diseases(code: Any, concept: str, certainty: str) -> None:
    found = diseases(read(code if isinstance(code, dict) else {"text": code}))
    assert found.get(concept) == certainty


@pytest.mark.parametrize(
    "text",
    [
        "Lupus pernio",
        "Lupus vulgaris",
        "Lupus anticoagulant positive",
        "Family history of scleroderma",
        "Antiphospholipid syndrome",
        "Personal history of other diseases of the musculoskeletal system and connective tissue",
    ],
)
def test_what_only_sounds_like_one(text: str) -> None:
    assert diseases(read({"text": text})) == {}


@pytest.mark.parametrize(
    ("status", "certainty"),
    [("CONFIRMED", "confirmed"), ("unconfirmed", "suspected"), ("provisional", "suspected"), ("local", "suspected")],
)
def test_verification(status: str, certainty: str) -> None:
    facts = read({"text": "SLE"}, verificationStatus={"coding": [{"code": status}]})
    assert diseases(facts)["ctd.sle"] == certainty


@pytest.mark.parametrize(
    ("text", "kind", "hardness", "certainty"),
    [
        ("Hard nodule L elbow", "nodule", "definite", "confirmed"),
        ("Subcutaneous nodules of both elbows, firm", "nodule", "possible", "confirmed"),
        ("No nodules", "nodule", "unstated", "absent"),
    ],
)
def test_lesions(text: str, kind: str, hardness: str, certainty: str) -> None:
    (lesion,) = read({"text": text}).lesions
    assert (lesion.kind, lesion.hardness, lesion.certainty) == (kind, hardness, certainty)


@pytest.mark.parametrize(
    "text", ["Thyroid nodule", "Solitary pulmonary nodule", "Nodular acne", "Heberden's nodes", "Vocal cord nodules"]
)
def test_nodules_of_other_organs(text: str) -> None:
    assert read({"text": text}).lesions == ()


def test_a_bare_code_is_a_bare_lesion() -> None:
    (lesion,) = read(coded(ICD, "R22.31", "Localized swelling, mass and lump, right upper limb")).lesions
    assert lesion.bare_code


def test_a_resolved_nodule_is_history() -> None:
    (lesion,) = read({"text": "Hard nodule of thigh"}, clinicalStatus={"coding": [{"code": "resolved"}]}).lesions
    assert lesion.course == "resolved"


@pytest.mark.parametrize(
    ("onset", "day"),
    [
        ({"onsetString": "3 months ago"}, "2026-02-01"),
        ({"onsetAge": {"value": 45, "unit": "years"}}, "2025-01-01/2026-01-01"),
        ({"onsetPeriod": {"start": "2026-01"}}, "2026-01"),
        ({"onsetDateTime": "2025"}, "2025"),
    ],
)
def test_onset(onset: dict[str, Any], day: str) -> None:
    (lesion,) = read({"text": "Hard nodule of thigh"}, **onset).lesions
    assert str(lesion.onset) == day


@pytest.mark.parametrize(
    ("letters", "certainty"),
    [
        ("G", "confirmed"),
        ("V", "suspected"),
        ("Z", "confirmed"),
        ("x", "confirmed"),
        ("", "confirmed"),
        ("GV", "suspected"),
    ],
)
def test_the_certainty_of_a_german_code_is_that_of_the_diagnosis(letters: str, certainty: str) -> None:
    assert diseases(read(german(letters)))["ctd.systemic_sclerosis"] == certainty


def test_a_code_of_certainty_a_is_an_excluded_diagnosis() -> None:
    facts = read(german("A"))
    assert diseases(facts) == {}
    assert [q.reason for q in facts.quarantined] == ["coded as an excluded diagnosis"]


def test_a_state_after_is_over_unless_the_condition_is_active() -> None:
    state_after = read(german("Z"))
    active = read(
        german("Z"), clinicalStatus=coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active")
    )
    assert {f.course for f in state_after.findings} == {"resolved"}
    assert {f.course for f in active.findings} == {"active"}


def test_a_certainty_never_lifts_the_verification_status() -> None:
    status = coded("http://terminology.hl7.org/CodeSystem/condition-ver-status", "provisional")
    assert diseases(read(german("G"), verificationStatus=status))["ctd.systemic_sclerosis"] == "suspected"


def test_odd_extensions_are_like_none() -> None:
    code = german("")
    for odd in ("text", {"url": 5}, [None, 3, {"url": GM, "valueCoding": "V"}, {"url": GM, "valueCode": 7}]):
        code["coding"][0]["extension"] = odd
        assert diseases(read(code))["ctd.systemic_sclerosis"] == "confirmed"


GM = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"


def german(letters: str) -> dict[str, Any]:
    code = coded("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "M34.0", "Progressive systemische Sklerose")
    code["coding"][0]["extension"] = [{"url": GM, "valueCoding": {"code": letter}} for letter in letters]
    return code


@pytest.mark.parametrize(
    "summary",
    [{"text": "Stage 4"}, coded("http://snomed.info/sct", "431857002"), coded(None, "x", "Stage 4")],
)
def test_the_stage_belongs_to_the_name(summary: dict[str, Any]) -> None:
    facts = read({"text": "Chronic kidney disease"}, stage=[{"summary": summary}])
    found = {concept for finding in facts.findings for concept in finding.concepts}
    assert {"trigger.ckd", "trigger.ckd_4"} <= found
    alone = {
        c for f in read({"text": "Chronic kidney disease"}, stage=["4", {"summary": None}]).findings for c in f.concepts
    }
    assert "trigger.ckd_4" not in alone


@pytest.mark.parametrize(
    "category",
    [
        {"text": "Family History"},
        {"coding": [{"code": "family-history"}]},
        {"coding": [{"display": "Familienanamnese"}]},
        {"text": "Antécédents familiaux"},
    ],
)
def test_what_is_listed_under_family_history_is_a_relatives(category: dict[str, Any]) -> None:
    found = read(coded(ICD, "M32.9", "Systemic lupus erythematosus"), category=[category])
    assert diseases(found) == {}
    assert [(entry.reference, entry.reason) for entry in found.quarantined] == [("Condition/c", "family history")]


@pytest.mark.parametrize(
    ("note", "hardness"),
    [
        ("Stone-hard, 1 cm, right forearm, first felt 4 weeks ago, not tender.", "definite"),
        ("Steinhart, 1 cm, seit 4 Wochen", "definite"),
        ("Dure, 1 cm, depuis 2 mois", "definite"),
        ("Ultrasound ordered.", None),
        ("Sono geplant", None),
        ("Soft, mobile, likely lipoma.", None),
    ],
)
def test_a_bare_lump_code_is_described_by_the_note_on_it(note: str, hardness: str | None) -> None:
    code = coded(ICD, "R22.31", "Localized swelling, mass and lump, right upper limb")
    found = [le.hardness for le in read(code, note=[{"text": note}]).lesions if le.hardness in ("definite", "possible")]
    assert found == ([hardness] if hardness else [])


@pytest.mark.parametrize(
    ("title", "note", "hardness"),
    [
        (
            "Skin nodules",
            "Overview:\nFirst noted March 2026. Rock hard, non-mobile, pulps of R index finger.",
            "definite",
        ),
        ("Nodule of skin", "Plan: plain film. Firm, mobile, left forearm.", "possible"),
        ("Skin nodules", "Hard of hearing. Retired.", "unstated"),
    ],
)
def test_a_sentence_that_begins_with_the_hardness_describes_the_lesion_of_the_title(
    title: str, note: str, hardness: str
) -> None:
    assert [le.hardness for le in read({"text": title}, note=[{"text": note}]).lesions] == [hardness]
