"""What an assessment says beside its grade: notes, sources, what is missing, field by field and on the limits."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import pytest
from msgspec.structs import replace

from hooks.knowledge import load_knowledge
from hooks.model import LabCriterion
from mappings.facts import SAME_TIME, Medication, PatientFacts, Problem, Result
from tests.hooks.assessment.facts import calcium, days_ago, disease, judged, lab, lesion, patient, phosphate

KNOWLEDGE = load_knowledge()
WINDOWS = KNOWLEDGE.criteria.missing
EVERYTHING: dict[str, tuple[str, str | None, str | None, int]] = {
    "albumin": ("42", "35", "50", WINDOWS.albumin_days),
    "phosphate": ("1.1", "0.8", "1.5", WINDOWS.phosphate_days),
    "creatinine": ("70", "45", "90", WINDOWS.creatinine_days),
    "pth": ("4", "1.6", "6.9", WINDOWS.pth_days),
    "vitamin-d-25-oh": ("75", "50", "125", WINDOWS.vitamin_d_days),
}


def chart(late: str | None = None, **changes: dict) -> PatientFacts:
    """Every laboratory value on the last day that it counts; `late` one day older."""
    results = [calcium()]
    for analyte, (value, low, high, days) in EVERYTHING.items():
        more = changes.get(analyte, {})
        results.append(lab(analyte, value, low, high, days + (analyte == late), f"Observation/{analyte}", **more))
    return patient(results=tuple(results))


def test_nothing_of_the_laboratory_is_missing_on_the_last_day_that_it_counts() -> None:
    assert set(judged(chart()).missing).isdisjoint({"calcium", *EVERYTHING})


@pytest.mark.parametrize("late", EVERYTHING)
def test_one_day_later_it_is_missing(late: str) -> None:
    assert set(judged(chart(late)).missing) & {"calcium", *EVERYTHING} == {late}


def test_a_parathyroid_hormone_that_can_not_be_placed_is_still_an_answer() -> None:
    no_range = {"pth": {"range_low": None, "range_high": None}}
    assert judged(chart(**no_range)).criteria.pth.status == "indeterminate"
    assert "pth" not in judged(chart(**no_range)).missing


# ---- notes


@pytest.mark.parametrize(
    ("calcium_value", "days", "phosphate_value", "noted"),
    [
        ("2.31", 10, "1.1", True),
        ("2.31", 100, "1.1", True),  # stale, and normal
        ("2.31", 10, "1.7", False),
        ("2.31", 10, "0.5", False),
        ("2.70", 10, "1.1", False),
    ],
)
def test_a_high_parathyroid_hormone_is_a_note_beside_normal_minerals(
    calcium_value: str, days: int, phosphate_value: str, noted: bool
) -> None:
    pth = lab("pth", "12", "1.6", "6.9", 10, "Observation/pth")
    found = judged(patient(results=(calcium(calcium_value, days), phosphate(phosphate_value), pth)))
    assert any("arathyroid hormone is high" in note for note in found.notes) == noted


# ---- sources


def test_the_sources_of_a_reason_a_flag_a_disease_and_an_option_are_all_named() -> None:
    necrotic = lesion(necrotic=True, pain="severe")
    vka = Medication("MedicationRequest/w", "warfarin", frozenset({"warfarin"}), frozenset({"vka"}))
    found = judged(patient(lesions=(necrotic,), medications=(vka,)))
    (flag,) = (flag for flag in found.red_flags if flag.id == "calciphylaxis")
    assert flag.sources
    options = {source for item in found.therapies for source in item.sources}
    (sle,) = (entry for entry in KNOWLEDGE.criteria.ctd.diagnoses if "ctd.sle" in entry.concepts)
    said = {source for key in ("urgent.calciphylaxis",) for source in KNOWLEDGE.messages.messages[key].sources}
    for expected in (set(flag.sources), options, set(sle.sources), said):
        assert expected
        assert expected <= set(found.sources)


def test_without_a_flag_its_sources_are_not_named() -> None:
    plain = judged(patient())
    assert set(plain.sources) >= {source for item in plain.therapies for source in item.sources}
    assert not set(plain.sources) & set(KNOWLEDGE.messages.messages["urgent.calciphylaxis"].sources)


# ---- the calcium in words


def told(*results: Result) -> LabCriterion:
    return judged(patient(results=(*results, phosphate()))).criteria.calcium


def test_a_range_of_one_side_is_told_with_that_side_alone() -> None:
    high = told(lab("calcium-total", "2.9", None, "2.57", 5, "Observation/ca"))
    assert high.status == "high"
    assert "laboratory range –2.57 mmol/L" in high.because
    low = told(lab("calcium-total", "1.95", "2.15", None, 5, "Observation/ca"))
    assert low.status == "low"
    assert "laboratory range 2.15– mmol/L" in low.because


def test_a_range_without_a_unit_is_told_without() -> None:
    bare = told(lab("calcium-total", "2.9", "2.15", "2.57", 5, "Observation/ca", unit=None))
    assert bare.because.count("2.15–2.57)") + bare.because.count("2.15–2.57.") == 1, bare.because


def test_every_problem_of_what_can_not_be_read_is_told_once_in_order() -> None:
    odd = [replace(calcium(days=day), ref=f"Observation/{day}", problem=problem)
           for day, problem in ((5, "implausible"), (6, "unit-unknown"), (7, "implausible"))]  # fmt: skip
    found = told(*odd)
    assert found.status == "indeterminate"
    assert "the value is implausible with its unit, without a unit that is known." in found.because
    assert found.critical is False


def test_a_critical_value_among_those_that_contradict_each_other_is_told() -> None:
    contradicting = [replace(lab("calcium-total", value, "2.15", "2.57", 2, f"Observation/{value}"), problem=SAME_TIME)
                     for value in ("3.9", "2.3")]  # fmt: skip
    assert told(*contradicting).critical is True


@pytest.mark.parametrize("side", ["low", "high"])
def test_a_value_open_on_one_side_has_no_fallback(side: str) -> None:
    open_side = {side: None, f"canonical_{side}": None, "comparator": "<" if side == "low" else ">"}
    for analyte in ("calcium-total", "phosphate"):
        one = lab(analyte, "2.31" if analyte == "calcium-total" else "1.1", None, None, 5, "Observation/x", **open_side)
        other = phosphate() if analyte == "calcium-total" else calcium()
        criteria = judged(patient(results=(one, other))).criteria
        found = criteria.calcium if analyte == "calcium-total" else criteria.phosphate
        assert (found.status, found.value) == ("indeterminate", None)


def test_a_mineral_without_a_unit_is_told_without() -> None:
    bare = phosphate(unit=None)
    found = judged(patient(results=(calcium(), bare))).criteria.phosphate
    assert "1.1 " in found.because
    assert found.unit is None


def test_low_albumin_in_words_with_a_number_is_an_answer() -> None:
    low = lab("albumin", "30", None, None, 5, "Observation/alb", word="low", low=None, canonical_low=None)
    assert "albumin" not in judged(patient(results=(calcium(), phosphate(), low))).missing


# ---- pain, growth


@pytest.mark.parametrize(
    ("pain", "flagged"), [("mild", True), ("severe", True), ("unspecified", True), ("none", False)]
)
def test_any_word_for_pain_under_a_vitamin_k_antagonist(pain: str, flagged: bool) -> None:
    vka = Medication("MedicationRequest/w", "warfarin", frozenset({"warfarin"}), frozenset({"vka"}))
    found = judged(patient(lesions=(lesion(pain=pain),), medications=(vka,)))
    assert any(flag.id == "calciphylaxis" for flag in found.red_flags) == flagged


def test_a_site_that_began_on_the_day_it_was_known_is_not_new() -> None:
    for begun, event in ((40, False), (39, True)):
        known = disease("lesion.calcinosis_cutis", "Condition/calcinosis", onset=None, recorded=days_ago(40))
        found = judged(patient(findings=(disease(), known), lesions=(lesion(onset=days_ago(begun)),)))
        if found.criteria.lesion.newness == "N4":
            assert any("new site" in reason for reason in found.because) == event


def test_phosphate_that_can_not_be_placed_caps_like_an_unknown_one() -> None:
    for value in ({"range_low": Decimal("0.8"), "range_high": None}, {"flag": "high"}):
        unclear = phosphate(**value)
        found = judged(patient(results=(calcium(), unclear)))
        assert found.criteria.phosphate.status == "indeterminate"
        assert found.grade == judged(patient(results=(calcium(),))).grade


@pytest.mark.parametrize("problem", get_args(Problem))
def test_a_calcium_that_cannot_be_used_says_why(problem: Problem) -> None:
    broken = lab("calcium-total", "2.31", None, None, 5, "Observation/ca", problem=problem)
    found = judged(patient(results=(broken, phosphate()))).criteria.calcium
    assert (found.status, found.value) == ("indeterminate", None)
    assert "can't be used: " in found.because
