"""The condition language: intervals, dates, doses, routes; each against facts written by hand."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from hooks.chart import Chart
from hooks.knowledge import load_knowledge
from hooks.knowledge.safety_schema import Condition, load_safety
from hooks.therapy import decide_therapies, prompts
from hooks.therapy.conditions import Compiler
from hooks.therapy.view import View
from hooks.workup import decide_workup
from mappings.dates import PartialDate
from mappings.facts import Allergy, Finding, Medication, PatientFacts, Result, Site
from mappings.facts import Lesion as LesionFact
from tests.safety.generator import DAY, draw

VOCABULARY = load_safety().vocabulary
CASE = draw(0, random.Random(1)).case


def ago(days: int) -> PartialDate:
    return PartialDate.of(DAY - timedelta(days=days))


def holds(condition: dict, facts: PatientFacts, case=CASE) -> bool:
    test = Compiler(VOCABULARY.conditions, VOCABULARY.analytes).compile(Condition.model_validate(condition))
    return test(View(Chart(facts, DAY), case), None, {}) is not None


def result(analyte: str, value: str | None, comparator: str | None = None, days: int = 1, **more) -> PatientFacts:
    amount = Decimal(value) if value is not None else None
    low = None if comparator in ("<", "<=") else amount
    high = None if comparator in (">", ">=") else amount
    base = Result(analyte, "Observation/1", ago(days), "final", low=low, high=high, comparator=comparator)
    return PatientFacts("Patient/p", results=(replace(base, canonical_low=low, canonical_high=high, **more),))


@pytest.mark.parametrize(
    ("value", "comparator", "below_60", "from_30_to_60", "below_30"),
    [
        ("59", None, True, True, False),
        ("60", None, False, False, False),
        ("30", None, True, True, False),
        ("29", None, True, False, True),
        ("60", ">", False, False, False),
        ("60", ">=", False, False, False),
        ("30", ">", True, True, False),
        ("60", "<", True, True, True),
        ("30", "<", True, False, True),
        ("30", "<=", True, True, True),
    ],
)
def test_a_comparator_counts_if_its_interval_touches_the_limit(value, comparator, below_60, from_30_to_60, below_30):
    facts = result("egfr", value, comparator)
    assert holds({"lab": {"analyte": "egfr", "below": 60}}, facts) == below_60
    assert holds({"lab": {"analyte": "egfr", "at_least": 30, "below": 60}}, facts) == from_30_to_60
    assert holds({"lab": {"analyte": "egfr", "below": 30}}, facts) == below_30


def test_a_value_older_than_its_window_is_unknown_and_does_not_fire():
    limit = {"lab": {"analyte": "egfr", "below": 60, "max_age_days": 90}}
    unknown = {"is": "egfr-unknown"}
    assert holds(limit, result("egfr", "20", days=90))
    assert not holds(limit, result("egfr", "20", days=91))
    assert not holds(unknown, result("egfr", "20", days=90))
    assert holds(unknown, result("egfr", "20", days=91))
    assert holds(unknown, result("egfr", None, word="normal"))
    assert holds(unknown, result("egfr", "20", problem="unit-unknown"))


@pytest.mark.parametrize(
    ("value", "more", "above", "unknown"),
    [
        ("121", {"range_high": Decimal(40)}, True, False),
        ("120", {"range_high": Decimal(40)}, False, False),
        ("20", {}, False, True),
        ("500", {"flag": "high"}, True, False),
        ("20", {"flag": "normal"}, False, False),
        (None, {"word": "normal"}, False, False),
        (None, {"word": "high"}, True, False),
    ],
)
def test_three_times_the_upper_limit_needs_the_limit(value, more, above, unknown):
    facts = result("alt", value, **more)
    assert holds({"is": "alt-above-3-times"}, facts) == above
    assert holds({"is": "alt-unknown"}, facts) == unknown


@pytest.mark.parametrize(
    ("drug", "active", "within_14"),
    [
        (Medication("M/1", "x", frozenset({"verapamil"})), True, True),
        (Medication("M/1", "x", frozenset({"verapamil"}), draft=True), True, True),
        (Medication("M/1", "x", frozenset({"verapamil"}), state="stopped", ended=ago(14)), False, True),
        (Medication("M/1", "x", frozenset({"verapamil"}), state="stopped", ended=ago(15)), False, False),
        (Medication("M/1", "x", frozenset({"verapamil"}), ended=ago(3)), False, True),
        (Medication("M/1", "x", frozenset({"verapamil"}), ended=ago(0)), True, True),
        (Medication("M/1", "x", frozenset({"verapamil"}), state="stopped", started=ago(10)), False, True),
        (Medication("M/1", "x", frozenset({"verapamil"}), state="stopped", started=ago(900)), False, False),
    ],
)
def test_active_and_recently_stopped(drug, active, within_14):
    facts = PatientFacts("Patient/p", medications=(drug,))
    assert holds({"drug": ["verapamil"]}, facts) == active
    assert holds({"medication": {"any": ["verapamil"], "stopped_within_days": 14}}, facts) == within_14


def _not_pregnant(when: PartialDate | None) -> PatientFacts:
    finding = Finding(frozenset({"trigger.pregnancy"}), "not pregnant", "O/1", certainty="absent", recorded=when)
    return PatientFacts("Patient/p", sex="female", born=ago(30 * 366), findings=(finding,))


def test_pregnancy_status():
    unknown = {"is": "pregnancy-status-unknown"}
    woman = PatientFacts("Patient/p", sex="female", born=ago(30 * 366))
    assert holds(unknown, woman)
    assert holds(unknown, replace(woman, sex="unknown"))
    assert not holds(unknown, replace(woman, sex="male"))
    assert not holds(unknown, replace(woman, born=ago(52 * 366)))
    assert holds(unknown, replace(woman, born=None))
    assert not holds(unknown, _not_pregnant(ago(30)))
    assert holds(unknown, _not_pregnant(ago(31)))
    assert holds(unknown, _not_pregnant(None))
    menopause = Finding(frozenset({"trigger.not_able_to_be_pregnant"}), "menopause", "C/1", course="resolved")
    assert not holds(unknown, replace(woman, findings=(menopause,)))
    negative = Result("pregnancy-test", "O/2", ago(30), "final", word="negative")
    assert not holds(unknown, replace(woman, results=(negative,)))
    assert holds(unknown, replace(woman, results=(replace(negative, date=ago(31)),)))
    pregnant = Finding(frozenset({"trigger.pregnancy"}), "pregnancy", "C/2")
    assert not holds(unknown, replace(woman, findings=(pregnant,)))
    assert holds({"is": "pregnant"}, replace(woman, findings=(pregnant,)))


def test_an_incomplete_birth_date_counts_for_the_child_if_any_day_does():
    born = PartialDate(date(2008, 1, 1), date(2008, 12, 31))
    facts = PatientFacts("Patient/p", born=born)
    assert holds({"is": "child"}, facts)
    assert not holds({"age": {"below": 18, "surely": True}}, facts)
    assert not holds({"is": "child"}, PatientFacts("Patient/p"))


def test_infection_elsewhere_is_no_infection_of_the_lesion():
    here = replace(CASE, lesions=(LesionFact("O/1", "nodule", "x", sites=(Site("elbow", "elbow", "left"),)),))

    def infected(*sites: Site) -> PatientFacts:
        return PatientFacts("P/p", findings=(Finding(frozenset({"trigger.skin_infection"}), "x", "C/1", sites=sites),))

    condition = {"is": "infection-at-lesion"}
    assert holds(condition, infected(Site("elbow", "elbow", "left")), here)
    assert holds(condition, infected(Site("elbow", "elbow")), here)
    assert not holds(condition, infected(Site("elbow", "elbow", "right")), here)
    assert not holds(condition, infected(Site("foot", "foot")), here)
    assert holds(condition, infected(), here)


def test_a_restricted_entry_counts_but_is_never_quoted():
    secret = Finding(frozenset({"trigger.sick_sinus"}), "secret words", "Condition/s", confidential=True)
    facts = PatientFacts("Patient/p", findings=(secret,))
    found = next(t for t in decide_therapies(Chart(facts, DAY), CASE, load_knowledge()) if t.id == "diltiazem")
    assert found.decision == "block"
    assert "D1" in found.rules
    assert "Condition/s" in found.evidence
    assert "secret" not in " ".join((found.because, *found.notes))


def test_the_order_in_which_a_chart_arrives_changes_nothing():
    knowledge = load_knowledge()
    for number in range(1, 60):
        drawn = draw(number, random.Random(number))
        facts, shuffled = drawn.facts, random.Random(number)
        other = replace(
            facts,
            findings=tuple(shuffled.sample(facts.findings, len(facts.findings))),
            medications=tuple(shuffled.sample(facts.medications, len(facts.medications))),
            results=tuple(shuffled.sample(facts.results, len(facts.results))),
        )
        for decide in (decide_therapies, decide_workup):
            assert decide(Chart(facts, DAY), drawn.case, knowledge) == decide(Chart(other, DAY), drawn.case, knowledge)
        views = (View(Chart(facts, DAY), drawn.case), View(Chart(other, DAY), drawn.case))
        assert prompts(views[0], knowledge) == prompts(views[1], knowledge)


def test_a_vitamin_k_antagonist_with_a_lesion_prompts_for_calciphylaxis():
    drug = Medication("MedicationRequest/w", "warfarin", frozenset({"warfarin"}), frozenset({"vka"}))
    found = prompts(View(Chart(PatientFacts("Patient/p", medications=(drug,)), DAY), CASE), load_knowledge())
    assert [prompt.rule for prompt in found] == ["W1w"]
    assert found[0].evidence[0] == "MedicationRequest/w"
    assert prompts(View(Chart(PatientFacts("Patient/p"), DAY), CASE), load_knowledge()) == ()


def test_of_several_ceilings_the_lowest_stands():
    facts = PatientFacts(
        "Patient/p",
        medications=(
            Medication("M/1", "simvastatin", frozenset({"simvastatin"}), daily_dose=Decimal(10), dose_unit="mg"),
        ),
        allergies=(Allergy("A/1", "diltiazem", frozenset({"diltiazem"}), tolerated_dose=Decimal(180), dose_unit="mg"),),
    )
    found = next(t for t in decide_therapies(Chart(facts, DAY), CASE, load_knowledge()) if t.id == "diltiazem")
    assert found.cap == "diltiazem 180 mg/d"
    assert {"D7", "G3"} <= set(found.rules)
