"""Red flags, the differential and what would change the grade: limits and order, from surviving mutants."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from hooks.assessment.explain import would_change
from hooks.assessment.grading import Weighed
from hooks.knowledge import load_knowledge
from mappings.dates import PartialDate
from mappings.facts import Finding, Medication, PatientFacts
from tests.hooks.assessment.facts import (
    SCROTUM,
    calcium,
    days_ago,
    disease,
    judged,
    lab,
    lesion,
    patient,
    phosphate,
)

MESSAGES = load_knowledge().messages
BASE = Weighed("confirmed", 1, "definite", chalky=False, newness="N1", calcium="normal", phosphate="normal")
PAINFUL = lesion(pain="mild")


def flags(facts: PatientFacts) -> set[str]:
    return {flag.id for flag in judged(facts).red_flags}


@pytest.mark.parametrize(("value", "flagged"), [("15", False), ("14.9", True)])
def test_kidney_failure_begins_below_its_limit(value: str, flagged: bool) -> None:
    egfr = lab("egfr", value, None, None, 5, "Observation/gfr")
    facts = patient(lesions=(PAINFUL,), results=(calcium(), phosphate(), egfr))
    assert ("calciphylaxis" in flags(facts)) == flagged


@pytest.mark.parametrize(("certainty", "flagged"), [("confirmed", True), ("suspected", False)])
def test_kidney_failure_that_is_only_suspected_flags_nothing(certainty: str, flagged: bool) -> None:
    esrd = Finding(frozenset({"trigger.esrd"}), "x", "Condition/k", certainty=certainty)  # type: ignore[arg-type]
    facts = patient(findings=(disease(), esrd), lesions=(PAINFUL,))
    assert ("calciphylaxis" in flags(facts)) == flagged


@pytest.mark.parametrize(("draft", "flagged"), [(False, True), (True, False)])
def test_a_vitamin_k_antagonist_that_is_only_being_ordered_is_not_taken(draft: bool, flagged: bool) -> None:
    vka = Medication("MedicationRequest/w", "warfarin", frozenset({"warfarin"}), frozenset({"vka"}), draft=draft)
    assert ("calciphylaxis" in flags(patient(lesions=(PAINFUL,), medications=(vka,)))) == flagged


@pytest.mark.parametrize("age", ["1980-01-01", None])
def test_a_high_crp_beside_an_ulcer_needs_the_laboratorys_own_range(age: str | None) -> None:
    born = PartialDate.parse(age) if age else None
    ulcer = lesion(ulcerated=True, spreading_erythema=True)
    high = lab("crp", "80", "0", "5", 3, "Observation/crp")
    bare = replace(high, range_low=None, range_high=None)
    with_range = patient(born=born, lesions=(ulcer,), results=(calcium(), phosphate(), high))
    assert "infection" in flags(with_range)
    without = patient(born=born, lesions=(lesion(ulcerated=True),), results=(calcium(), phosphate(), bare))
    assert "infection" not in flags(without)


# ---- the differential


def names(facts: PatientFacts) -> list[str]:
    return [item.id for item in judged(facts).differential]


def test_what_caps_the_grade_is_named_first() -> None:
    gout = Finding(frozenset({"mimic.gout"}), "gout", "Condition/g")
    sarcoid = Finding(frozenset({"exclude.sarcoidosis"}), "sarcoidosis", "Condition/s")
    scrotal = names(patient(findings=(disease(), gout, sarcoid), lesions=(lesion(sites=(SCROTUM,)),)))
    assert scrotal[0] == "idiopathic-scrotal"
    chalky = names(patient(findings=(disease(), sarcoid, gout), lesions=(lesion(chalky=True),)))
    hard = names(patient(findings=(disease(), sarcoid, gout), lesions=(lesion(),)))
    assert "gouty-tophus" in chalky
    assert chalky.index("gouty-tophus") <= hard.index("gouty-tophus")


def test_a_urate_above_its_range_points_to_a_tophus_and_one_without_a_range_does_not() -> None:
    urate = lab("urate", "600", "150", "360", 5, "Observation/ua")
    assert "gouty-tophus" in names(patient(results=(calcium(), phosphate(), urate)))
    bare = replace(urate, range_low=None, range_high=None)
    assert "gouty-tophus" not in names(patient(results=(calcium(), phosphate(), bare)))


@pytest.mark.parametrize("concept", ["trigger.fever", "trigger.blood_dyscrasia_cytopenia"])
@pytest.mark.parametrize("panniculitis", ["ctd.lupus_panniculitis", "mimic.panniculitis"])
def test_panniculitis_with_fever_or_cytopenia_asks_for_a_lymphoma(concept: str, panniculitis: str) -> None:
    both = (disease(), Finding(frozenset({concept}), "x", "Condition/1", recorded=days_ago(5)),
            Finding(frozenset({panniculitis}), "x", "Condition/2"))  # fmt: skip
    with_both, without = names(patient(findings=both)), names(patient(findings=(both[0], both[2])))
    assert set(with_both) - set(without), (with_both, without)


# ---- what would change the grade


def said(**changes: object) -> set[str]:
    facts = replace(BASE, **changes)  # type: ignore[arg-type]
    return set(would_change(facts, MESSAGES))


def mentions(sentences: set[str], word: str) -> list[str]:
    return [sentence for sentence in sentences if word in sentence.lower()]


@pytest.mark.parametrize("status", ["unknown", "indeterminate", "stale", "borderline"])
def test_a_normal_calcium_is_named_where_it_would_raise_the_grade(status: str) -> None:
    kind = "normal ionized calcium" if status == "indeterminate" else "normal current calcium"
    (sentence,) = mentions(said(calcium=status, calcium_stale=status == "stale"), kind)
    assert sentence.endswith("would raise this to probable.")


@pytest.mark.parametrize("status", ["unknown", "borderline", "indeterminate"])
def test_a_normal_phosphate_is_named_where_it_lifts_the_cap(status: str) -> None:
    found = mentions(said(phosphate=status, imaging_positive=True), "phosphate")
    assert len(found) == 1
    assert "likely" in found[0]


def test_a_confirmed_disease_is_named_where_it_is_only_suspected() -> None:
    raised = said(ctd="suspected") - said()
    assert any("confirm" in sentence.lower() for sentence in raised), raised


@pytest.mark.parametrize(
    "closed", [{"critical_calcium": True}, {"calcium": "high"}, {"ctd": None}, {"product_over": True}]
)
def test_an_urgent_other_or_silent_verdict_has_nothing_that_raises_it(closed: dict) -> None:
    assert said(**closed) == set()


def test_pain_by_number_and_by_word() -> None:
    for more, severe in (({"pain_score": Decimal(7)}, True), ({"pain_score": Decimal("6.9")}, False)):
        dead = lesion(necrotic=True, **more)
        assert ("calciphylaxis" in flags(patient(lesions=(dead,)))) == severe


# ---- the kidney


def test_a_transplant_of_long_ago_is_still_severe() -> None:
    graft = Finding(frozenset({"trigger.kidney_transplant"}), "x", "Condition/k", course="resolved")
    found = judged(patient(findings=(disease(), graft))).criteria.kidney
    assert (found.status, found.transplant, found.dialysis, found.evidence) == ("severe", True, False, ("Condition/k",))


def test_dialysis_is_told_with_the_last_egfr() -> None:
    dialysis = Finding(frozenset({"trigger.dialysis"}), "x", "Condition/d")
    egfr = lab("egfr", "8", None, None, 5, "Observation/gfr", unit="mL/min/{1.73_m2}")
    found = judged(patient(findings=(disease(), dialysis), results=(calcium(), phosphate(), egfr))).criteria.kidney
    assert (found.status, found.dialysis, found.egfr, found.unit) == ("severe", True, Decimal(8), "mL/min/{1.73_m2}")
    assert found.date == days_ago(5).earliest.isoformat()
    bare = judged(patient(findings=(disease(), dialysis))).criteria.kidney
    assert (bare.egfr, bare.unit, bare.date) == (None, None, None)


@pytest.mark.parametrize(("certainty", "status"), [("confirmed", "severe"), ("suspected", "unknown")])
def test_a_stage_that_is_only_suspected_says_nothing(certainty: str, status: str) -> None:
    stage = Finding(frozenset({"trigger.ckd_4"}), "x", "Condition/k", certainty=certainty)  # type: ignore[arg-type]
    assert judged(patient(findings=(disease(), stage))).criteria.kidney.status == status


@pytest.mark.parametrize(
    ("value", "unit", "days", "flagged"),
    [
        ("38.0", "Cel", 14, True),
        ("37.9", "Cel", 14, False),
        ("38.0", "Cel", 15, False),
        ("100.4", "[degF]", 5, True),
        ("100.3", "[degF]", 5, False),
        ("38.5", None, 5, False),
    ],
)
def test_a_fever_begins_at_its_limit(value: str, unit: str | None, days: int, flagged: bool) -> None:
    fever = lab("temperature", value, None, None, days, "Observation/t", unit=unit)
    facts = patient(lesions=(lesion(ulcerated=True),), results=(calcium(), phosphate(), fever))
    assert ("infection" in flags(facts)) == flagged


@pytest.mark.parametrize(
    ("cancer", "told"),
    [
        ({}, True),
        ({"course": "resolved"}, True),
        ({"certainty": "suspected"}, False),
    ],
    ids=str,
)
def test_a_cancer_of_the_past_is_told_beside_the_flag_a_suspected_one_is_not(cancer: dict, told: bool) -> None:
    fresh = disease("ctd.dermatomyositis", onset=days_ago(300))
    tumour = Finding(frozenset({"trigger.breast_cancer"}), "x", "Condition/ca", **cancer)
    found = judged(patient(findings=(fresh, tumour)))
    flag = next(flag for flag in found.red_flags if flag.id == "malignancy")
    assert ("Condition/ca" in flag.evidence) == told
