"""What must hold for every chart: one fact flipped changes only what it may change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from hooks.assess import assess
from hooks.assessment.grading import LADDER
from hooks.knowledge import load_knowledge
from hooks.model import Assessment
from mappings.dates import PartialDate
from mappings.facts import NEEDS, Completeness, Finding, Imaging, Lesion, PatientFacts, Result, Site
from tests.charts import TODAY

COMPLETE = {need: Completeness("complete") for need in NEEDS}
SITES = (Site("elbow", "elbow", "left"), Site("thigh", "thigh", "right"), Site("hand", "finger", None))


def days_ago(days: int) -> PartialDate:
    return PartialDate.of(TODAY - timedelta(days=days))


def lab(analyte: str, value: str, low: str, high: str, days: int, ref: str) -> Result:
    number = Decimal(value)
    return Result(
        analyte,
        ref,
        days_ago(days),
        "final",
        low=number,
        high=number,
        unit="mmol/L",
        canonical_low=number,
        canonical_high=number,
        range_low=Decimal(low),
        range_high=Decimal(high),
    )


def calcium(value: str, days: int = 10) -> Result:
    return lab("calcium-total", value, "2.15", "2.57", days, "Observation/ca")


CTD = st.sampled_from(
    ["ctd.sle", "ctd.dermatomyositis", "ctd.systemic_sclerosis", "ctd.ra", "ctd.lupus_cutaneous", "trigger.diabetes"]
)


@st.composite
def charts(draw: st.DrawFn) -> PatientFacts:
    finding = Finding(
        frozenset({draw(CTD)}),
        "x",
        "Condition/1",
        certainty=draw(st.sampled_from(["confirmed", "suspected"])),
        onset=days_ago(draw(st.integers(30, 8000))),
    )
    lesions = tuple(
        Lesion(
            f"Observation/l{i}",
            draw(st.sampled_from(["nodule", "plaque", "induration", "ulcer", "mass"])),
            "x",
            hardness=draw(st.sampled_from(["definite", "possible", "equivalent", "against", "unstated"])),
            chalky=draw(st.booleans()),
            sites=(draw(st.sampled_from(SITES)),),
            onset=draw(st.none() | st.integers(0, 1500).map(days_ago)),
            recorded=days_ago(draw(st.integers(0, 900))),
            necrotic=draw(st.booleans()),
            pain=draw(st.sampled_from([None, "none", "severe"])),
        )
        for i in range(draw(st.integers(0, 2)))
    )
    results = [
        calcium(draw(st.sampled_from(["1.70", "2.10", "2.31", "2.57", "2.70", "3.30"])), draw(st.integers(0, 500)))
    ]
    if draw(st.booleans()):
        results.append(
            lab("phosphate", draw(st.sampled_from(["0.6", "1.1", "1.9"])), "0.8", "1.5", 10, "Observation/p")
        )
    imaging = tuple(
        Imaging(
            "DiagnosticReport/1",
            "radiograph",
            draw(st.sampled_from(["soft-tissue", "vascular-only", "none"])),
            days_ago(draw(st.integers(0, 400))),
            sites=(draw(st.sampled_from(SITES)),),
        )
        for _ in range(draw(st.integers(0, 1)))
    )
    return PatientFacts(
        "Patient/1",
        sex=draw(st.sampled_from(["female", "male", "unknown"])),
        born=draw(st.none() | st.just(PartialDate.parse("1980-01-01")) | st.just(PartialDate.parse("2016"))),
        findings=(finding,),
        results=tuple(results),
        lesions=lesions,
        imaging=imaging,
        completeness=COMPLETE,
    )


def judged(facts: PatientFacts) -> Assessment:
    return assess(facts, load_knowledge(), TODAY)


def certainty(assessment: Assessment) -> int:
    """Position on the ladder of dystrophic calcinosis; off the ladder is below it."""
    return LADDER.index(assessment.grade) if assessment.grade in LADDER else 0


FEW = settings(max_examples=60, deadline=None)


@FEW
@given(charts())
def test_without_a_connective_tissue_disease_it_is_silent(facts: PatientFacts) -> None:
    found = judged(replace(facts, findings=()))
    assert (found.grade, found.card, found.red_flags, found.therapies) == ("none", "none", (), ())


@FEW
@given(charts(), st.sampled_from(["2.60", "2.90", "3.20"]))
def test_raising_calcium_above_range_never_raises_certainty(facts: PatientFacts, value: str) -> None:
    raised = replace(facts, results=(calcium(value), *(r for r in facts.results if r.analyte != "calcium-total")))
    normal = replace(facts, results=(calcium("2.31"), *(r for r in facts.results if r.analyte != "calcium-total")))
    assert certainty(judged(raised)) == 0
    assert certainty(judged(normal)) >= certainty(judged(raised))


@FEW
@given(charts())
def test_removing_imaging_never_adds_a_positive_finding(facts: PatientFacts) -> None:
    if any(i.finding != "soft-tissue" for i in facts.imaging):
        return  # negative imaging lowers; taking it away may raise
    assert certainty(judged(replace(facts, imaging=()))) <= certainty(judged(facts))


@FEW
@given(charts())
def test_nothing_above_incomplete_without_usable_calcium(facts: PatientFacts) -> None:
    found = judged(replace(facts, results=tuple(r for r in facts.results if r.analyte != "calcium-total")))
    assert found.grade in ("none", "incomplete", "alternative", "urgent")
    assert not [t for t in found.therapies if t.orderable]


@FEW
@given(charts(), st.integers(1, 400))
def test_facts_of_the_future_change_nothing(facts: PatientFacts, days: int) -> None:
    later = PartialDate.of(TODAY + timedelta(days=days))
    future = replace(
        facts,
        results=(*facts.results, replace(calcium("3.40"), date=later, ref="Observation/future")),
        lesions=(*facts.lesions, Lesion("Observation/x", "nodule", "x", hardness="definite", recorded=later)),
        imaging=(*facts.imaging, Imaging("DiagnosticReport/x", "ct", "soft-tissue", later)),
    )
    assert judged(future) == judged(facts)


@FEW
@given(charts())
def test_therapies_are_orderable_only_at_likely_or_confirmed_and_never_in_a_child(facts: PatientFacts) -> None:
    found = judged(facts)
    orderable = [t.id for t in found.therapies if t.orderable]
    if found.grade not in ("likely", "confirmed") or (facts.born and facts.born.earliest.year == 2016):
        assert orderable == []
    assert not {"diltiazem", "colchicine"} <= set(orderable)


@FEW
@given(charts())
def test_every_answer_has_its_reasons(facts: PatientFacts) -> None:
    found = judged(facts)
    assert found.because
    assert found.card == "none" or found.criteria.lesion.evidence
