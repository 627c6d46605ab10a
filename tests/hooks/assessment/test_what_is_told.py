"""Flags, notes, sources and unreadable needs that no chart table can write down."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from hooks.knowledge import load_knowledge
from hooks.model import Assessment
from mappings.facts import Completeness, Medication
from tests.hooks.assessment.facts import (
    COMPLETE,
    calcium,
    days_ago,
    disease,
    judged,
    lab,
    lesion,
    patient,
    phosphate,
)


def test_only_positive_antibodies_are_named() -> None:
    def text(word: str, antibody: str) -> str:
        antibody_result = lab("myositis-antibodies", "1", None, None, 10, "Observation/ab",
                              low=None, high=None, canonical_low=None, canonical_high=None,
                              word=word, antibody=antibody)  # fmt: skip
        young = disease("ctd.dermatomyositis", onset=days_ago(300))
        found = judged(patient(findings=(young,), results=(calcium(), phosphate(), antibody_result)))
        (flag,) = found.red_flags
        assert ("sae1_italy" in flag.sources) == ("odds ratio" in flag.text)
        assert ("Observation/ab" in flag.evidence) == ("odds ratio" in flag.text)
        return flag.text

    assert "12.3" in text("positive", "anti-tif1g")
    assert "11.9" in text("positive", "anti-sae1")
    assert "odds ratio" not in text("negative", "anti-tif1g")
    assert "odds ratio" not in text("positive", "anti-jo1")


def test_a_number_without_a_unit_is_not_told_as_none() -> None:
    nothing = {"low": None, "high": None, "canonical_low": None, "canonical_high": None, "word": "low"}
    told = {
        (analyte, unitless): judged(
            patient(
                results=(calcium(), lab(analyte, "1", None, None, 5, "Observation/bare", **nothing, unitless=unitless))
            )
        )
        for analyte in ("calcium-total", "phosphate")
        for unitless in (True, False)
    }
    for (analyte, unitless), found in told.items():
        criterion = found.criteria.calcium if analyte == "calcium-total" else found.criteria.phosphate
        assert criterion.status == "low"
        assert ("number without a unit" in criterion.because) == unitless
        assert ("without a number" in criterion.because) != unitless


def test_what_is_only_a_note() -> None:
    found = judged(patient(lesions=(lesion(injection_at_site=True),), not_understood=("Observation/odd",)))
    assert any("injection" in note for note in found.notes)
    assert any("could not be interpreted" in note for note in found.notes)
    assert not any("injection" in note for note in judged(patient()).notes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, True),
        ({"certainty": "suspected"}, True),
        ({"course": "resolved"}, False),  # operated on
        ({"certainty": "absent"}, False),
        ({"confidential": True}, False),  # it would be named on the card
    ],
)
def test_an_active_disorder_of_calcium_is_named(changes: dict[str, Any], told: bool) -> None:
    known = replace(disease("exclude.hyperparathyroidism", ref="Condition/gland"), **changes)
    found = judged(patient(findings=(disease("ctd.sle"), known)))
    assert any("On record: hyperparathyroidism." in note for note in found.notes) == told
    assert found.grade == judged(patient(findings=(disease("ctd.sle"),))).grade


@pytest.mark.parametrize(
    ("changes", "unread", "unreadable"),
    [
        ({"findings": ()}, {"conditions": "unavailable"}, ("conditions",)),
        ({"findings": ()}, {"conditions": "partial"}, ()),
        ({"lesions": ()}, {"observations": "unavailable"}, ("observations",)),
        ({"lesions": ()}, {"observations": "unavailable", "conditions": "unavailable"}, ("conditions", "observations")),
        ({}, {"observations": "unavailable"}, ()),
        ({"findings": (), "deceased": True}, {"conditions": "unavailable"}, ()),
    ],
)  # fmt: skip
def test_which_failed_reads_leave_the_question_open(changes: dict, unread: dict, unreadable: tuple) -> None:
    needs = {**COMPLETE, **{need: Completeness(state, "timeout") for need, state in unread.items()}}
    found: Assessment = judged(patient(**changes, completeness=needs))
    assert found.unreadable == unreadable


def test_sources_are_those_of_what_is_said() -> None:
    found = judged(patient())
    evidence = load_knowledge().evidence
    assert found.sources
    assert len(set(found.sources)) == len(found.sources)
    assert all(key in evidence for key in found.sources)
    assert {"balin2012", "lopez2017"} <= set(found.sources)
    assert judged(patient(findings=())).sources == ()


@pytest.mark.parametrize(("score", "flagged"), [("0", False), ("0.5", True), ("1", True)])
def test_any_pain_under_a_vitamin_k_antagonist(score: str, flagged: bool) -> None:
    vka = Medication("MedicationRequest/w", "warfarin", frozenset({"warfarin"}), frozenset({"vka"}))
    found = judged(patient(lesions=(lesion(pain_score=Decimal(score), pain="none"),), medications=(vka,)))
    assert any(flag.id == "calciphylaxis" for flag in found.red_flags) == flagged
