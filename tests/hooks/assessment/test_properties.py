"""What must hold for every chart: one fact flipped changes what it may change and nothing else."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hooks.assess import assess
from hooks.assessment.grading import LADDER
from hooks.knowledge import load_knowledge
from hooks.model import Assessment, Criteria
from mappings.dates import PartialDate
from mappings.facts import Biopsy, Finding, Imaging, Lesion, Medication, PatientFacts
from tests.charts import TODAY
from tests.hooks.assessment.facts import ELBOW, calcium, charts, disease, judged, lesion, patient, phosphate

FEW = settings(max_examples=25, deadline=None)
DOCUMENTED = TODAY - timedelta(days=load_knowledge().criteria.newness.documented_days)
CURRENT = ("unknown", "stale", "normal")


def certainty(assessment: Assessment) -> int:
    """Position on the ladder of dystrophic calcinosis; off the ladder is below it."""
    return LADDER.index(assessment.grade) if assessment.grade in LADDER else 0


def without(facts: PatientFacts, analyte: str) -> tuple:
    return tuple(r for r in facts.results if r.analyte != analyte)


def untouched(before: Criteria, after: Criteria, *changed: str) -> None:
    """Every criterion but the named ones is as it was."""
    for name in ("ctd", "lesion", "calcium", "phosphate", "pth", "kidney", "imaging", "biopsy"):
        if name not in changed:
            assert getattr(before, name) == getattr(after, name), name


@FEW
@given(charts())
def test_without_a_connective_tissue_disease_it_is_silent(facts: PatientFacts) -> None:
    found = judged(replace(facts, findings=tuple(f for f in facts.findings if f.ref != "Condition/ctd")))
    assert (found.grade, found.card, found.red_flags, found.therapies) == ("none", "none", (), ())


@FEW
@given(charts())
def test_without_any_lesion_it_is_silent(facts: PatientFacts) -> None:
    bare = replace(facts, lesions=(), imaging=(), biopsies=())
    assert (judged(bare).grade, judged(bare).card) == ("none", "none")


@FEW
@given(charts(), st.sampled_from(["2.58", "2.90", "3.20"]))
def test_raising_calcium_above_range_never_raises_certainty(facts: PatientFacts, value: str) -> None:
    raised = judged(replace(facts, results=(calcium(value), *without(facts, "calcium-total"))))
    normal = judged(replace(facts, results=(calcium("2.31"), *without(facts, "calcium-total"))))
    assert certainty(raised) == 0
    assert certainty(normal) >= certainty(raised)
    untouched(normal.criteria, raised.criteria, "calcium")


@FEW
@given(charts(), st.decimals("1.0", "4.0", places=2), st.decimals("1.0", "4.0", places=2))
def test_the_further_outside_the_range_the_less_certain(facts: PatientFacts, one: Decimal, other: Decimal) -> None:
    middle = Decimal("2.36")
    near, far = sorted((one, other), key=lambda value: abs(value - middle))
    assume((near < middle) == (far < middle))
    found = [judged(replace(facts, results=(calcium(str(v)), *without(facts, "calcium-total")))) for v in (near, far)]
    assert certainty(found[0]) >= certainty(found[1])


@FEW
@given(charts())
def test_removing_supporting_evidence_never_raises_certainty(facts: PatientFacts) -> None:
    before = certainty(judged(facts))
    for fewer in (
        replace(facts, findings=tuple(f for f in facts.findings if not f.ref.startswith("Condition/ctd"))),
        replace(facts, results=without(facts, "phosphate")) if _phosphate_fine(facts) else facts,
        replace(facts, biopsies=tuple(b for b in facts.biopsies if b.finding != "calcium")),
        *(
            replace(facts, imaging=tuple(i for i in facts.imaging if i is not image))
            for image in facts.imaging
            if image.finding == "soft-tissue" and not image.cystic
        ),
    ):
        assert certainty(judged(fewer)) <= before


def _phosphate_fine(facts: PatientFacts) -> bool:
    found = judged(facts).criteria.phosphate.status
    return found in ("normal", "low")


@FEW
@given(charts())
def test_removing_a_lesion_never_raises_certainty(facts: PatientFacts) -> None:
    assume(not any(le.necrotic for le in facts.lesions))  # these send the patient elsewhere
    before = certainty(judged(facts))
    for lost in facts.lesions:
        fewer = replace(facts, lesions=tuple(le for le in facts.lesions if le is not lost))
        if lost.hardness == "against" and not lost.chalky:
            continue  # a soft lesion speaks against
        if any(f.concepts & {"trigger.gangrene_necrosis"} for f in facts.findings):
            continue
        if lost.certainty == "confirmed" and any(le.certainty == "suspected" for le in facts.lesions):
            continue  # the surest description is the one that is judged
        if facts.imaging and lost.first_recorded is not None and lost.first_recorded.on_or_after(DOCUMENTED) == "no":
            continue  # an old record says that what imaging shows, without a date of its own, is not new
        assert certainty(judged(fewer)) <= before, lost


@FEW
@given(charts())
def test_adding_a_connective_tissue_disease_never_lowers(facts: PatientFacts) -> None:
    more = replace(facts, findings=(*facts.findings, disease("ctd.dermatomyositis", "Condition/dm")))
    assert certainty(judged(more)) >= certainty(judged(facts))


@FEW
@given(charts())
def test_confirming_the_disease_never_lowers(facts: PatientFacts) -> None:
    sure = tuple(replace(f, certainty="confirmed") for f in facts.findings)
    known = tuple(f if f.ref != "Condition/ctd" else s for f, s in zip(facts.findings, sure, strict=True))
    found = judged(replace(facts, findings=known))
    assert certainty(found) >= certainty(judged(facts))
    untouched(judged(facts).criteria, found.criteria, "ctd")


@FEW
@given(charts(), st.integers(0, 500), st.integers(0, 500))
def test_an_older_date_never_makes_a_value_more_current(facts: PatientFacts, one: int, other: int) -> None:
    rest = without(facts, "calcium-total")
    newer, older = (
        judged(replace(facts, results=(calcium("2.31", days), *(r for r in rest if r.analyte != "albumin"))))
        for days in sorted((one, other))
    )
    status = [CURRENT.index(found.criteria.calcium.status) for found in (newer, older)]
    assert status[0] >= status[1]
    assert certainty(newer) >= certainty(older)


@FEW
@given(st.integers(0, 1500), st.integers(0, 1500))
def test_a_later_onset_never_makes_a_lesion_older(one: int, other: int) -> None:
    def newness(days: int) -> str:
        onset = PartialDate.of(TODAY - timedelta(days=days))
        return judged(patient(lesions=(lesion(onset=onset),))).criteria.lesion.newness or "none"

    later, earlier = sorted((one, other))
    assert newness(later) <= newness(earlier)


@FEW
@given(charts(), st.randoms(use_true_random=False))
def test_the_order_of_resources_changes_nothing(facts: PatientFacts, shuffle: random.Random) -> None:
    def shuffled(items: tuple) -> tuple:
        return tuple(shuffle.sample(items, len(items)))

    names = ("findings", "results", "lesions", "imaging", "biopsies", "medications")
    assert judged(replace(facts, **{name: shuffled(getattr(facts, name)) for name in names})) == judged(facts)


@FEW
@given(charts(), st.integers(1, 400))
def test_facts_of_the_future_change_nothing(facts: PatientFacts, days: int) -> None:
    later = PartialDate.of(TODAY + timedelta(days=days))
    future = replace(
        facts,
        findings=(
            *facts.findings,
            disease("ctd.dermatomyositis", "Condition/later", onset=later),
            Finding(frozenset({"calcinosis.cutis"}), "x", "Condition/code", recorded=later),
        ),
        results=(*facts.results, replace(calcium("3.40"), date=later, ref="Observation/future")),
        lesions=(*facts.lesions, Lesion("Observation/x", "nodule", "x", hardness="definite", recorded=later)),
        imaging=(*facts.imaging, Imaging("DiagnosticReport/x", "ct", "soft-tissue", later)),
        biopsies=(*facts.biopsies, Biopsy("DiagnosticReport/y", "calcium", later)),
        medications=(
            *facts.medications,
            Medication(
                "MedicationRequest/x",
                "warfarin",
                frozenset({"warfarin"}),
                frozenset({"vka"}),
                started=PartialDate.of(TODAY + timedelta(days=days + 1)),
            ),
        ),
    )
    assert judged(future) == judged(facts)


@FEW
@given(charts(), st.integers(1, 2000))
def test_an_earlier_day_sees_only_what_was_known_then(facts: PatientFacts, days: int) -> None:
    day = TODAY - timedelta(days=days)
    known = replace(
        facts,
        results=tuple(r for r in facts.results if r.date and r.date.earliest <= day),
        imaging=tuple(i for i in facts.imaging if i.date is None or i.date.earliest <= day),
        biopsies=tuple(b for b in facts.biopsies if b.date and b.date.earliest <= day),
    )
    assert assess(known, load_knowledge(), day) == assess(facts, load_knowledge(), day)


@FEW
@given(charts(), st.sampled_from(["0.6", "1.1", "1.9"]))
def test_phosphate_changes_the_phosphate_criterion_alone(facts: PatientFacts, value: str) -> None:
    found = judged(replace(facts, results=(*without(facts, "phosphate"), phosphate(value))))
    untouched(judged(facts).criteria, found.criteria, "phosphate")


@FEW
@given(charts())
def test_a_biopsy_of_the_episode_changes_biopsy_and_lesion_alone(facts: PatientFacts) -> None:
    shown = Biopsy("DiagnosticReport/new", "calcium", PartialDate.of(TODAY), (ELBOW,))
    found = judged(replace(facts, biopsies=(*facts.biopsies, shown)))
    untouched(judged(facts).criteria, found.criteria, "biopsy", "lesion")


@FEW
@given(charts())
def test_a_finding_that_no_criterion_names_changes_no_criterion(facts: PatientFacts) -> None:
    more = Finding(frozenset({"trigger.hypertension"}), "x", "Condition/z")
    found, before = judged(replace(facts, findings=(*facts.findings, more))), judged(facts)
    assert (found.grade, found.card, found.because, found.red_flags) == (
        before.grade,
        before.card,
        before.because,
        before.red_flags,
    )
    untouched(before.criteria, found.criteria)


@FEW
@given(charts())
def test_nothing_above_incomplete_without_usable_calcium(facts: PatientFacts) -> None:
    found = judged(replace(facts, results=without(facts, "calcium-total")))
    assert found.grade in ("none", "incomplete", "alternative", "urgent")
    assert not [t for t in found.therapies if t.orderable]


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
    assert (found.subtype is None) == (found.subtype_because == ())
    known = {
        fact.ref for name in ("findings", "results", "lesions", "imaging", "biopsies") for fact in getattr(facts, name)
    }
    for criterion in (found.criteria.ctd, found.criteria.lesion, found.criteria.calcium, found.criteria.imaging):
        assert set(criterion.evidence) <= known
