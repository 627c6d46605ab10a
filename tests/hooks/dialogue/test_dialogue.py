"""The dialogue: which question comes next, that it ends, and that its verdict is `assess` on the same facts."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from hooks.assess import assess
from hooks.dialogue import AnswerError, Dialogue, moved, nobody
from hooks.dialogue.records import records
from hooks.knowledge import load_knowledge
from hooks.knowledge.dialogue_schema import UNKNOWN, Question
from mappings.dates import PartialDate
from mappings.facts import Lesion, Medication
from mappings.raw import RawChart
from tests.charts import TODAY, chart
from tests.hooks.dialogue.talking import DATA, read, reader, talk

PATIENT = "Patient | female | 41y\n"
LUPUS = "Condition | SLE | onset -17y | recorded -17y\n"
UNSTATED = "Exam | nodules on the left forearm, first noticed 3 months ago | -10d\n"
LABS = (
    "Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d\n"
    "Laboratory | Phosphate | 1.10 mmol/L [0.80–1.50] | -10d\n"
    "Laboratory | eGFR | 88 mL/min/1.73m2 | -10d\n"
)
CHART = PATIENT + LUPUS + UNSTATED + LABS
Given = dict[str, tuple[str, ...]]


def any_answer(question: Question, choose: random.Random) -> tuple[str, ...]:
    if choose.random() < 0.2:
        return (UNKNOWN,)
    if question.kind == "number":
        return (str(choose.randint(int(question.least or 0) + 1, int(question.most or 0))),)
    single = [answer.id for answer in question.answers]
    together = [answer.id for answer in question.answers if not answer.alone]
    if question.kind == "choice" or choose.random() < 0.5:
        return (choose.choice(single),)
    return tuple(choose.sample(together, choose.randint(1, min(3, len(together)))))


def same_verdict(dialogue: Dialogue, table: str | None, given: Given) -> None:
    """The verdict of the path against `assess` on the chart that holds the same records."""
    step = dialogue.at(given, ask=False)
    made = records(DATA, given, dialogue.subject)
    raw = chart(table).raw() if table else RawChart("nobody", (), nobody().completeness)
    facts = reader().read(msgspec.structs.replace(raw, resources=(*raw.resources, *made)))
    # that there is nothing elsewhere was answered, and is in no record: it counts where the chart was not read whole
    facts = msgspec.structs.replace(facts, extent_told=step.facts.extent_told)
    assert step.assessment == assess(facts, load_knowledge(), TODAY)


def walk(table: str | None, seed: int) -> None:
    choose, dialogue, given = random.Random(seed), talk(table), dict[str, tuple[str, ...]]()
    for _ in range(len(DATA.questions) + 1):
        step = dialogue.at(given)
        if step.next is None:
            break
        assert step.next.id not in given, "nothing is asked twice"
        given[step.next.id] = any_answer(step.next, choose)
    else:
        pytest.fail("the dialogue did not end")
    same_verdict(dialogue, table, given)


@pytest.mark.parametrize(("table", "seed"), [(None, 1), (CHART, 2)])
def test_a_random_walk_ends_with_the_verdict_of_its_facts(table: str | None, seed: int) -> None:
    walk(table, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(60))
def test_random_walks_end_with_the_verdict_of_their_facts(seed: int) -> None:
    walk((None, CHART, PATIENT + LUPUS, PATIENT + UNSTATED + LABS)[seed % 4], seed)


@pytest.mark.parametrize("seed", range(12))
def test_any_set_of_answers_has_the_verdict_of_its_facts(seed: int) -> None:
    """Also out of order, and answers that were never asked for."""
    choose = random.Random(seed)
    asked = choose.sample(DATA.questions, choose.randint(1, len(DATA.questions)))
    given = {question.id: any_answer(question, choose) for question in asked}
    table = (None, CHART)[seed % 2]
    dialogue = talk(table)
    facts = read("nobody" if table is None else "patient-1", records(DATA, given, dialogue.subject))
    assert not facts.quarantined
    same_verdict(dialogue, table, given)


def test_it_starts_from_nothing_and_reaches_a_verdict() -> None:
    dialogue, given = talk(None), dict[str, tuple[str, ...]]()
    assert (step := dialogue.at(given)).next is not None
    assert step.assessment.grade == "none"
    told = {"ctd": "sle", "lesion": "nodule", "calcium": "normal", "q1": "hard"}
    for question, answer in told.items():
        given[question] = (answer,)
    assert dialogue.at({**given, "calcium": (UNKNOWN,)}, ask=False).assessment.grade == "incomplete", (
        "unknown is not normal"
    )
    assert dialogue.at(given, ask=False).assessment.grade in ("possible", "probable")


def test_every_region_named_in_an_answer_makes_the_extent_known_though_no_chart_was_read() -> None:
    given = {"ctd": ("sle",), "lesion": ("nodule",), "calcium": ("normal",), "q1": ("hard",)}
    extents = {
        regions: talk(None).at({**given, "q4": regions}, ask=False).assessment.criteria.lesion.extent
        for regions in [("left-forearm",), ("left-forearm", "left-thigh", "abdomen"), (UNKNOWN,)]
    }
    assert list(extents.values()) == ["localized", "extensive", "unknown"]


def test_hardness_is_asked_where_it_decides_and_says_what_it_changed() -> None:
    dialogue = talk(CHART)
    before = dialogue.at({})
    assert before.next is not None
    hard = dialogue.at({"q1": ("hard",)}, ask=False)
    changes = moved(before.assessment, hard.assessment)
    assert [c.after for c in changes if c.what == "grade"] == [hard.assessment.grade]
    assert all(c.because for c in changes if c.what in ("grade", "therapy", "workup"))
    assert moved(hard.assessment, hard.assessment) == ()


def test_dont_know_changes_nothing_but_is_not_asked_again() -> None:
    dialogue = talk(CHART)
    for question in DATA.questions:
        assert dialogue.at({question.id: (UNKNOWN,)}, ask=False).assessment == dialogue.baseline
    first = dialogue.at({}).next
    assert first is not None
    second = dialogue.at({first.id: (UNKNOWN,)}).next
    assert second is not None
    assert second.id != first.id


def test_no_is_said_where_the_rules_know_an_absence() -> None:
    dialogue = talk(CHART)
    pregnant = {
        t.id: t.decision
        for t in dialogue.at(
            {"q13": ("pregnant",), "q4": ("left-hand", "back", "neck")}, ask=False
        ).assessment.therapies
    }
    not_so = {
        t.id: t.decision
        for t in dialogue.at({"q13": ("no",), "q4": ("left-hand", "back", "neck")}, ask=False).assessment.therapies
    }
    assert pregnant["diltiazem"] == "block"
    assert not_so["diltiazem"] != "block"


def test_the_first_in_the_data_is_asked_when_two_are_worth_the_same() -> None:
    assert [talk(CHART).at({}).next for _ in range(2)] == [talk(CHART).at({}).next] * 2


READ: dict[tuple[str, str], dict[str, Any]] = {
    ("q1", "soft"): {"hardness": "against"},
    ("q1", "firm"): {"hardness": "possible"},
    ("q1", "hard"): {"hardness": "definite"},
    ("q1", "stony"): {"hardness": "definite"},
    ("q2", "yes"): {"chalky": True},
    ("q3", "inflamed"): {"inflamed": True},
    ("q3", "ulcer"): {"ulcerated": True},
    ("q3", "necrotic"): {"necrotic": True},
    ("q3", "livedo"): {"livedo": True},
    ("q5", "older"): {"long_standing": True},
    ("q5-growing", "yes"): {"growing": True},
    ("q8", "redness"): {"spreading_erythema": True},
    ("q8", "pus"): {"pus": True},
    ("q9", "trauma"): {"trauma_at_site": True},
    ("q9", "infusion"): {"infusion_at_site": True},
    ("q9", "injection"): {"injection_at_site": True},
}


@pytest.mark.parametrize(("answer", "meant"), READ.items(), ids=lambda v: "-".join(v) if isinstance(v, tuple) else "")
def test_an_answer_about_the_lesion_is_read_as_it_is_meant(answer: tuple[str, str], meant: dict[str, Any]) -> None:
    question, choice = answer
    dialogue = talk(CHART)
    (lesion,) = read("patient-1", records(DATA, {question: (choice,)}, dialogue.subject)).lesions
    assert {name: getattr(lesion, name) for name in meant} == meant
    assert [site.place for site in lesion.sites] == ["forearm"], "at the site on record"
    assert lesion.kind == "nodule"


CONCEPTS = {
    ("q8", "fever"): ("trigger.fever", "confirmed"),
    ("q8", "none"): ("trigger.fever", "absent"),
    ("q10", "kidney"): ("trigger.kidney_disease", "confirmed"),
    ("q10", "dialysis"): ("trigger.dialysis", "confirmed"),
    ("q10", "transplant"): ("trigger.kidney_transplant", "confirmed"),
    ("q10", "parathyroid"): ("exclude.hyperparathyroidism", "suspected"),
    ("q10", "none"): ("trigger.kidney_disease", "absent"),
    ("q11", "yes"): ("trigger.cancer_history", "confirmed"),
    ("q11", "no"): ("trigger.cancer_history", "absent"),
    ("q12", "no"): ("trigger.dysphagia", "absent"),
    ("q12", "swallowing"): ("trigger.dysphagia", "confirmed"),
    ("q12", "stricture"): ("trigger.esophageal_stricture", "confirmed"),
    ("q13", "no"): ("trigger.pregnancy", "absent"),
    ("q13", "pregnant"): ("trigger.pregnancy", "confirmed"),
    ("q13", "planning"): ("trigger.planning_pregnancy", "confirmed"),
    ("q13", "breastfeeding"): ("trigger.lactation", "confirmed"),
    ("q13", "unable"): ("trigger.not_able_to_be_pregnant", "confirmed"),
    ("q15", "diltiazem"): ("failed.diltiazem", "confirmed"),
    ("q15", "colchicine"): ("failed.colchicine", "confirmed"),
    ("q15", "minocycline"): ("failed.minocycline", "confirmed"),
    ("q15", "alendronate"): ("failed.alendronate", "confirmed"),
    ("q15", "immunoglobulin"): ("failed.immunoglobulin", "confirmed"),
    ("q17", "ulcers"): ("trigger.digital_ischaemia", "confirmed"),
    ("q17", "raynaud"): ("trigger.raynaud", "confirmed"),
    ("q17", "smoking"): ("trigger.smoker", "confirmed"),
    ("q17", "none"): ("trigger.smoker", "absent"),
    ("ctd", "sle"): ("ctd.sle", "confirmed"),
    ("ctd", "cutaneous-lupus"): ("ctd.lupus_cutaneous", "confirmed"),
    ("ctd", "dermatomyositis"): ("ctd.dermatomyositis", "confirmed"),
    ("ctd", "systemic-sclerosis"): ("ctd.systemic_sclerosis", "confirmed"),
    ("ctd", "mctd"): ("ctd.mctd", "confirmed"),
}


@pytest.mark.parametrize(("answer", "meant"), CONCEPTS.items(), ids=lambda v: "-".join(v))
def test_an_answer_about_the_patient_is_read_as_it_is_meant(answer: tuple[str, str], meant: tuple[str, str]) -> None:
    question, choice = answer
    facts = read("patient-1", records(DATA, {question: (choice,)}, talk(CHART).subject))
    assert meant in [(concept, f.certainty) for f in facts.findings for concept in f.concepts]
    assert not [le for le in facts.lesions if le.kind != "skin-change"], "says nothing of a lesion"
    assert not facts.lesions


def test_every_answer_with_a_record_is_in_one_of_the_tables_above() -> None:
    told = {(q.id, c.id) for q in DATA.questions for c in q.answers if c.records}
    elsewhere = {(q, c) for q, c in told if q in ("lesion", "calcium", "q14") or (q == "q5" and c != "older")}
    assert told == READ.keys() | CONCEPTS.keys() | elsewhere


@pytest.mark.parametrize(("choice", "days"), [("weeks", 21), ("months", 183), ("year", 731)])
def test_first_noticed_is_read_as_a_date(choice: str, days: int) -> None:
    (lesion,) = read("patient-1", records(DATA, {"q5": (choice,)}, talk(CHART).subject)).lesions
    assert lesion.onset is not None
    assert (TODAY - lesion.onset.earliest).days <= days + 1


@pytest.mark.parametrize("drug", ["calcium", "vitamin-d", "antacid", "aspirin"])
def test_what_is_taken_without_prescription_is_a_drug(drug: str) -> None:
    (read_as,) = read("patient-1", records(DATA, {"q14": (drug,)}, talk(CHART).subject)).medications
    assert read_as.classes & {"calcium-salt", "vitamin-d", "antacid", "salicylate"}


def test_numbers_and_sites_are_read() -> None:
    subject = talk(CHART).subject
    (pain,) = read("patient-1", records(DATA, {"q6": ("0",)}, subject)).lesions
    assert pain.pain_score == 0
    (size,) = read("patient-1", records(DATA, {"q4-size": ("2.5",)}, subject)).lesions
    assert str(size.size_cm) == "2.5"
    sites = next(q for q in DATA.questions if q.kind == "sites")
    for answer in sites.answers:
        (lesion,) = read("patient-1", records(DATA, {sites.id: (answer.id,)}, subject)).lesions
        assert len(lesion.sites) == 1, answer.label
        assert (lesion.sites[0].laterality or "") == answer.id.partition("-")[0] * answer.id.startswith(
            ("left", "right")
        )


@pytest.mark.parametrize(
    ("given", "question"),
    [
        ({"q99": ("yes",)}, "q99"),
        ({"q1": ()}, "q1"),
        ({"q1": ("hard", "soft")}, "q1"),
        ({"q1": ("like butter",)}, "q1"),
        ({"q1": ("hard", UNKNOWN)}, "q1"),
        ({"q8": ("fever", "none")}, "q8"),
        ({"q6": ("11",)}, "q6"),
        ({"q6": ("NaN",)}, "q6"),
        ({"q6": ("2.5",)}, "q6"),
        ({"q6": ("1e1",)}, "q6"),
        ({"q6": ("3", "4")}, "q6"),
        ({"q4-size": ("-1",)}, "q4-size"),
        ({"q4-size": ("a lot",)}, "q4-size"),
    ],
)
def test_an_answer_that_does_not_fit_is_named(given: Given, question: str) -> None:
    with pytest.raises(AnswerError) as caught:
        talk(None).at(given)
    assert caught.value.question == question
    assert "butter" not in str(caught.value)


def test_a_restricted_lesion_is_never_described() -> None:
    hidden = Lesion("Observation/1", "plaque", "secret words", hardness="definite", confidential=True)
    facts = msgspec.structs.replace(nobody(), lesions=(hidden,))
    dialogue = Dialogue(facts, DATA, load_knowledge(), read, TODAY)
    assert dialogue.subject.lesion is None
    (made,) = records(DATA, {"q3": ("ulcer",)}, dialogue.subject)
    assert made["valueCodeableConcept"]["text"] == "ulcerated skin lesion"


def test_options_named_by_answers_exist_and_goals_reorder_them() -> None:
    known = {therapy.id for therapy in load_knowledge().therapies.therapies}
    named = {a for q in DATA.questions for a in (*q.prefers, *(p for c in q.answers for p in c.prefers))}
    assert named <= known
    assert talk(CHART).at({"q16": ("look",)}, ask=False).preferred[0] == "sodium-thiosulfate-topical"
    assert talk(CHART).at({"q6": ("3",)}, ask=False).preferred == ()
    assert "surgical-excision" in talk(CHART).at({"q6": ("4",)}, ask=False).preferred


def test_sources_of_the_questions_resolve() -> None:
    evidence = load_knowledge().evidence
    for question in DATA.questions:
        assert question.sources
        assert evidence.missing(question.sources) == ()


@pytest.mark.parametrize(("days", "asked"), [(60, False), (800, True)])
def test_a_drug_that_an_old_note_told_of_is_asked_for_again(days: int, asked: bool) -> None:
    told = PartialDate.parse((TODAY - timedelta(days=days)).isoformat())
    drug = Medication("DocumentReference/1", "aspirin", classes=frozenset({"salicylate"}), told=told)
    facts = msgspec.structs.replace(talk(CHART).facts, medications=(drug,))
    dialogue = Dialogue(facts, DATA, load_knowledge(), read, TODAY)
    assert ("q14" in [question.id for question in dialogue.open({})]) is asked
