"""The grade as a pure function: every field has one direction, over everything the grade can be asked."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hooks.assessment.explain import would_change
from hooks.assessment.grading import LADDER, Graded, Weighed, grade
from hooks.knowledge import load_knowledge

BASE = Weighed("confirmed", 1, "definite", chalky=False, newness="N1", calcium="normal", phosphate="normal")
SUPPORTS = ("imaging_positive", "biopsy_positive", "calcinosis_coded", "lesion_confirmed")
SPEAKS_AGAINST = (
    "calcium_fallback",
    "calcium_stale",
    "calcium_discordant",
    "critical_calcium",
    "product_over",
    "kidney_severe",
    "infusion_at_site",
    "necrosis_or_livedo",
    "calciphylaxis_flag",
    "calciphylaxis_code",
    "imaging_doubtful",
    "imaging_negative",
    "scrotum_only",
    "crystals_needed",
)
WEIGHED = st.builds(
    Weighed,
    ctd=st.sampled_from(["confirmed", "suspected", None]),
    tier=st.sampled_from([1, 2, 3]),
    hardness=st.sampled_from(["definite", "equivalent", "possible", "unstated", None]),
    chalky=st.booleans(),
    newness=st.sampled_from(["N1", "N2", "N3", "N4"]),
    calcium=st.sampled_from(["normal", "stale", "borderline", "high", "low", "indeterminate", "unknown"]),
    phosphate=st.sampled_from(["normal", "low", "borderline", "high", "indeterminate", "unknown"]),
    **{name: st.booleans() for name in SUPPORTS},
    **{name: st.sampled_from([False, False, False, True]) for name in SPEAKS_AGAINST},
)
MANY = settings(max_examples=80, deadline=None)


def height(facts: Weighed) -> int:
    found = grade(facts).grade
    return LADDER.index(found) if found in LADDER else 0


@pytest.mark.parametrize("name", SPEAKS_AGAINST)
@MANY
@given(WEIGHED)
def test_what_speaks_against_never_raises(name: str, facts: Weighed) -> None:
    assert height(replace(facts, **{name: True})) <= height(replace(facts, **{name: False}))


@pytest.mark.parametrize("name", SUPPORTS)
@MANY
@given(WEIGHED)
def test_what_supports_never_lowers(name: str, facts: Weighed) -> None:
    assert height(replace(facts, **{name: True})) >= height(replace(facts, **{name: False}))


@MANY
@given(WEIGHED)
def test_better_never_lowers(facts: Weighed) -> None:
    for field, order in (
        ("ctd", (None, "suspected", "confirmed")),
        ("tier", (3, 2, 1)),
        ("hardness", (None, "unstated", "possible", "equivalent")),
        ("hardness", (None, "unstated", "possible", "definite")),
        ("calcium", ("high", "unknown", "borderline", "normal")),
        ("calcium", ("low", "indeterminate", "borderline", "normal")),
        ("phosphate", ("high", "unknown", "normal")),
        ("phosphate", ("high", "indeterminate", "low")),
    ):
        heights = [height(replace(facts, **{field: value})) for value in order]
        assert heights == sorted(heights), (field, order)


@MANY
@given(WEIGHED)
def test_chalky_material_lifts_only_the_cap_of_tier_3(facts: Weighed) -> None:
    assume(facts.tier != 3)
    assert grade(replace(facts, chalky=True)) == grade(replace(facts, chalky=False))


@MANY
@given(WEIGHED)
def test_a_reason_for_everything_and_the_order_of_the_paths(facts: Weighed) -> None:
    found = grade(facts)
    assert found.reasons
    assert len(set(found.reasons)) == len(found.reasons)
    if facts.ctd is None or facts.hardness is None:
        assert found == Graded("none", ("grade.none",))
    elif facts.calciphylaxis_code or (facts.calciphylaxis_flag and facts.necrosis_or_livedo) or facts.critical_calcium:
        assert found.grade == "urgent"
    elif (
        facts.calcium in ("low", "high")
        or facts.phosphate == "high"
        or facts.product_over
        or facts.kidney_severe
        or facts.infusion_at_site
        or facts.necrosis_or_livedo
    ):
        assert found.grade == "alternative"
    elif facts.calcium in ("unknown", "indeterminate"):
        assert found.grade in ("incomplete", "none")
    else:
        assert found.grade in LADDER


ROWS = [
    ({}, "probable", ("evidence.definite",)),
    ({"hardness": "possible"}, "possible", ("evidence.possible",)),
    ({"lesion_confirmed": False}, "possible", ("evidence.lesion-suspected",)),
    ({"imaging_positive": True}, "likely", ("evidence.imaging",)),
    ({"imaging_positive": True, "phosphate": "unknown"}, "probable", ("evidence.imaging", "cap.phosphate")),
    ({"imaging_positive": True, "imaging_doubtful": True}, "possible", ("evidence.imaging", "cap.imaging-doubtful")),
    ({"biopsy_positive": True}, "confirmed", ("evidence.biopsy",)),
    ({"biopsy_positive": True, "calcinosis_coded": True}, "confirmed", ("evidence.biopsy",)),
    ({"calcinosis_coded": True}, "confirmed", ("evidence.coded",)),
    ({"calcinosis_coded": True, "tier": 3}, "possible", ("evidence.coded", "cap.tier-3")),
    ({"biopsy_positive": True, "tier": 3}, "confirmed", ("evidence.biopsy",)),
    ({"ctd": "suspected", "biopsy_positive": True}, "possible", ("evidence.biopsy", "cap.ctd-suspected")),
    ({"hardness": "possible", "tier": 3}, "possible", ("evidence.possible", "cap.tier-3")),
    ({"tier": 3, "chalky": True}, "probable", ("evidence.definite",)),
    ({"calcium": "borderline"}, "possible", ("evidence.definite", "cap.calcium-borderline")),
    ({"calcium_discordant": True}, "possible", ("evidence.definite", "cap.calcium-discordant")),
    ({"calcium_stale": True, "calcium_fallback": True}, "possible", ("evidence.definite", "step.stale")),
    ({"calcium_fallback": True, "imaging_positive": True}, "probable", ("evidence.imaging", "step.fallback")),
    ({"hardness": "possible", "calcium_stale": True}, "possible", ("evidence.possible", "step.stale")),
    ({"imaging_negative": True}, "possible", ("evidence.definite", "step.negative-imaging")),
    ({"hardness": "unstated", "imaging_negative": True}, "none", ("evidence.unstated", "step.negative-imaging")),
    ({"calcium": "unknown"}, "incomplete", ("incomplete.calcium",)),
    ({"calcium": "unknown", "imaging_positive": True}, "incomplete", ("incomplete.calcified",)),
    ({"calcium": "indeterminate", "biopsy_positive": True}, "incomplete", ("incomplete.calcified",)),
    ({"calcium": "unknown", "calcinosis_coded": True}, "incomplete", ("incomplete.calcified",)),
    ({"calcium": "unknown", "imaging_negative": True}, "incomplete", ("incomplete.calcium",)),
    ({"calcium": "unknown", "imaging_negative": True, "hardness": "possible"}, "none", ("step.negative-imaging",)),
    ({"critical_calcium": True, "calciphylaxis_code": True}, "urgent", ("urgent.code", "urgent.critical-calcium")),
    ({"calciphylaxis_flag": True}, "probable", ("evidence.definite",)),
    ({"calciphylaxis_flag": True, "necrosis_or_livedo": True}, "urgent", ("urgent.calciphylaxis",)),
    ({"necrosis_or_livedo": True}, "alternative", ("alternative.necrosis",)),
    ({"calcium": "low", "kidney_severe": True}, "alternative", ("alternative.calcium-low", "alternative.kidney")),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected", "reasons"), ROWS, ids=lambda value: str(value)[:60])
def test_rows(changes: dict, expected: str, reasons: tuple[str, ...]) -> None:
    assert grade(replace(BASE, **changes)) == Graded(expected, reasons)


@MANY
@given(WEIGHED)
def test_what_would_change_the_grade_is_true(facts: Weighed) -> None:
    """Each sentence names a grade; some change of one finding leads to it."""
    now = grade(facts).grade
    said = would_change(facts, load_knowledge().messages)
    if now in ("none", "urgent", "alternative"):
        assert said == ()
        return
    changes = (
        {"calcium": "normal", "calcium_stale": False, "calcium_fallback": False},
        {"phosphate": "normal"},
        {"hardness": "definite"},
        {"imaging_positive": True, "imaging_negative": False},
        {"imaging_negative": True},
        {"biopsy_positive": True},
        {"ctd": "confirmed"},
        {"crystals_needed": False},
    )
    reachable = {grade(replace(facts, **change)).grade for change in changes} - {now}
    for sentence in said:
        if "a different condition" in sentence:
            assert now == "incomplete"
            continue
        named = [level for level in LADDER if sentence.rstrip(".").endswith(level)]
        assert named, sentence
        assert set(named) <= reachable
        if "would raise" in sentence and now in LADDER:
            assert LADDER.index(named[0]) > LADDER.index(now), sentence


def test_the_ladder_is_walked_by_every_combination_of_evidence() -> None:
    seen = {
        grade(replace(BASE, imaging_positive=i, biopsy_positive=b, hardness=h)).grade
        for i, b, h in product((False, True), (False, True), ("definite", "possible"))
    }
    assert seen == {"possible", "probable", "likely", "confirmed"}
