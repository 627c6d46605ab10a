"""Questions and their answers: the gold set, the citations, what is declined, and what belongs to the patient."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks.answers import Answers, load
from hooks.answers.citations import numbers, problems, supported
from hooks.knowledge import load_knowledge
from hooks.knowledge.answers_schema import Sentence, Tongue, load_answers

ROOT = Path(__file__).parents[2] / "data" / "questions"
GOLD = [
    row
    for path in sorted(ROOT.glob("*.csv"))
    for row in csv.DictReader(path.open(encoding="utf-8"), delimiter="|", quoting=csv.QUOTE_NONE)
]
ANSWERABLE = [row for row in GOLD if row["entries"] != "-"]
UNANSWERABLE = [row for row in GOLD if row["entries"] == "-"]


@pytest.fixture(scope="module")
def answers() -> Answers:
    return load(load_knowledge())


def test_the_set_is_large_enough_and_so_is_the_base(answers: Answers) -> None:
    assert len(GOLD) >= 200
    assert len(load_answers().entries) >= 120
    assert all(len(entry.en) + len(entry.es) >= 2 for entry in load_answers().entries)
    assert len({entry.id for entry in answers.entries}) == len(answers.entries)


def test_nine_of_ten_answerable_questions_find_their_entry(answers: Answers) -> None:
    missed = [
        (row["question"], found)
        for row in ANSWERABLE
        if (found := answers.ask(row["question"], language=row["language"]).entry) not in row["entries"].split(";")
    ]
    assert len(missed) <= 0.1 * len(ANSWERABLE), missed


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_language_is_answered(answers: Answers, language: str) -> None:
    rows = [row for row in ANSWERABLE if row["language"] == language]
    right = sum(answers.ask(row["question"]).entry in row["entries"].split(";") for row in rows)
    assert right >= 0.9 * len(rows)


@pytest.mark.parametrize("row", UNANSWERABLE, ids=lambda row: row["question"][:40])
def test_abstains(answers: Answers, row: dict[str, str]) -> None:
    reply = answers.ask(row["question"], language=row["language"])
    assert reply.abstained
    assert reply.answer == () and reply.patient == ()
    assert reply.because


def test_a_spanish_question_is_met_in_spanish(answers: Answers) -> None:
    """The words around an answer are in the question's language; its sentences stay as their sources have them."""
    found = answers.ask("que dosis de diltiazem")
    assert found.entry == "diltiazem/dose"
    assert found.note == load_answers().declines.in_english
    assert answers.ask("what dose of diltiazem").note is None
    declined = answers.ask("¿Cuál es el pronóstico de esta paciente?")
    assert declined.because and declined.because.startswith("Ninguna fuente")
    unknown = answers.ask("es muy rara la calcinosis en el elefante marino de Groenlandia")
    assert unknown.abstained and unknown.because == load_answers().declines.no_source.es
    assert all(answers.ask(near).note for near in unknown.related)


@pytest.mark.parametrize(
    ("question", "entry"),
    [
        ("mortality of calcifilaxys", "calciphylaxis-mortality"),
        ("prevalense of calcinosis in sclerodrema", "frequency-ssc"),
        ("on Norvasc, can I add Cardizem", "diltiazem-nifedipine"),
        ("bx needed?", "biopsy-needed"),
        ("diltiazem dose in a 45-year-old woman", "diltiazem/dose"),
    ],
)
def test_slips_of_the_pen_brands_and_abbreviations(answers: Answers, question: str, entry: str) -> None:
    assert answers.ask(question).entry == entry


@pytest.mark.parametrize(
    "age", ["7 yr old", "12-year-old", "7 y/o", "aged 9", "niña de 8 años", "15 años de edad", "10yo"]
)
def test_no_dose_for_a_child_however_the_age_is_written(answers: Answers, age: str) -> None:
    reply = answers.ask(f"diltiazem dose, {age}")
    assert reply.abstained
    assert reply.because in [d.because.to(t) for d in load_answers().declines.declines[1:2] for t in ("en", "es")]


def _assessed(*decisions: str) -> dict[str, Any]:
    return {"therapies": [{"id": f"t{n}", "decision": d, "rules": ["G1"]} for n, d in enumerate(decisions)]}


@pytest.mark.parametrize("question", ["what dose of diltiazem for her?", "colchicine dose", "dosis de alendronato"])
def test_no_dose_for_a_child_that_only_the_chart_knows(answers: Answers, question: str) -> None:
    """The patient of the session is nine, and the question need not say so."""
    for reply in (answers.ask(question, child=True), answers.ask(question, assessment=_assessed("block", "warn"))):
        assert reply.abstained and reply.answer == () and reply.patient == ()
        assert reply.because in [load_answers().declines.declines[1].because.to(t) for t in ("en", "es")]
    grown_up, of_unknown_age = {"therapies": []}, _assessed("block", "need")
    assert not any(answers.ask(question, assessment=found).abstained for found in (grown_up, of_unknown_age))
    assert not answers.ask("what is the evidence for diltiazem", child=True).abstained


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("what is the highest dose of colchicine beside diltiazem", "0.6 mg"),
        ("how long after stopping diltiazem can I start colchicine", "stopped within 14 days"),
        ("is atorvastatin alright with diltiazem?", "Atorvastatin"),
        ("can colchicine be used with clarithromycin", "A strong CYP3A4 or P-gp inhibitor"),
        ("first-degree AV block and diltiazem", "First-degree AV block"),
        ("dental extraction planned, can I use alendronate", "extraction"),
    ],
)
def test_a_rule_of_the_table_answers_in_its_own_words(answers: Answers, question: str, words: str) -> None:
    """An answer on simvastatin alone had been given on atorvastatin, and one without the ceiling on a ceiling."""
    reply = answers.ask(question)
    told = " ".join(sentence.text for sentence in reply.answer)
    assert words in told, reply
    assert all(sentence.citations for sentence in reply.answer)


@pytest.mark.parametrize("question", ["is this cancer?", "could it be malignant?", "is it cancer", "¿es cáncer?"])
def test_whether_it_is_cancer_is_never_answered_by_what_is_on_record(answers: Answers, question: str) -> None:
    """'No cancer red flag', said of an investigation, had stood under this question."""
    reply = answers.ask(
        question, assessment={"workup": [{"id": "cancer-screening", "decision": "offer", "because": "x"}]}
    )
    assert reply.abstained and reply.patient == ()


def test_no_way_to_ask_knows_what_no_entry_knows(answers: Answers) -> None:
    """Otherwise every foreign drug and disease would find that entry."""
    assert not any(load_answers().words.foreign.term in way.terms for way in answers._index._ways)


def test_every_curated_question_finds_its_own_entry(answers: Answers) -> None:
    lost = [
        (question, found)
        for entry in load_answers().entries
        for question in (*entry.en, *entry.es)
        if (found := answers.ask(question).entry) != entry.id
    ]
    assert lost == []


def test_every_sentence_has_citations_that_resolve(answers: Answers) -> None:
    evidence = load_knowledge().evidence
    for entry in answers.entries:
        assert entry.sentences, entry.id
        for sentence in entry.sentences:
            assert problems(sentence, evidence, numbers_too=False) == (), entry.id
            assert "{" not in sentence.text, entry.id


def test_no_curated_sentence_has_a_number_that_its_sources_lack() -> None:
    evidence = load_knowledge().evidence
    wrong = [(e.id, p) for e in load_answers().entries for s in e.answer for p in problems(s, evidence)]
    assert wrong == []


def test_the_checker_sees_an_invented_number_and_an_invented_source() -> None:
    evidence = load_knowledge().evidence
    assert problems(Sentence(text="Response in 10 of 17.", citations=("balin2012",)), evidence)
    assert problems(Sentence(text="Response in 9 of 17.", citations=("balin2012",)), evidence) == ()
    assert problems(Sentence(text="It helps.", citations=("nobody1999",)), evidence)


def test_numbers_are_compared_as_values() -> None:
    assert numbers("0.50 and 12,5 and 40") == ["0.5", "12.5", "40"]


class _Liar:
    """A writer that invents: one sentence without support, one with."""

    def write(self, question: str, found: tuple[Sentence, ...], language: str) -> tuple[Sentence, ...]:
        return (Sentence(text="Cured 99 of 100.", citations=("balin2012",)), *found[:1])


def test_an_attached_writer_is_held_to_the_checker() -> None:
    knowledge = load_knowledge()
    reply = Answers(knowledge, load_answers(), _Liar()).ask("what is the best treatment")
    assert [s for s in reply.answer if "99" in s.text] == []
    assert reply.answer == supported(reply.answer, knowledge.evidence) != ()


@pytest.mark.parametrize(
    "question",
    [
        "What dose of diltiazem for a child?",
        "Should we stop the anticoagulant?",
        "Promise me that this lump is benign",
        "¿Cuál es el pronóstico de esta paciente?",
    ],
)
def test_declines_and_says_why(answers: Answers, question: str) -> None:
    reply = answers.ask(question)
    assert reply.abstained
    assert reply.because not in (None, load_answers().declines.no_source.en)


@pytest.mark.parametrize(
    ("request_", "tongue"),
    [
        ("Prescribe diltiazem", "en"),
        ("please prescribe diltiazem 60 mg three times a day", "en"),
        ("can you prescribe diltiazem for him?", "en"),
        ("She has hard nodules. Order a serum calcium.", "en"),
        ("give her colchicine", "en"),
        ("write a prescription for minocycline", "en"),
        ("refer her to dermatology", "en"),
        ("send to dermatology", "en"),
        ("book an appointment", "en"),
        ("call the patient", "en"),
        ("sign the order", "en"),
        ("recete diltiazem", "es"),
        ("por favor, solicite un calcio", "es"),
        ("¿puedes derivar? Deriva a dermatología.", "es"),
    ],
)
def test_a_request_to_act_is_declined_with_what_is_done_instead(
    answers: Answers, request_: str, tongue: Tongue
) -> None:
    """'Prescribe diltiazem' had been answered with the evidence for diltiazem."""
    reply = answers.ask(request_)
    assert reply.abstained and reply.answer == () and reply.patient == ()
    assert reply.because == load_answers().declines.request.because.to(tongue)


@pytest.mark.parametrize(
    "question",
    [
        "start diltiazem?",
        "should I prescribe diltiazem?",
        "who can prescribe sodium thiosulfate",
        "order of treatment",
        "order what next",
        "start diltiazem or colchicine",
        "can diltiazem be prescribed in heart failure",
        "qué pruebas pido",
    ],
)
def test_a_question_about_an_act_is_no_request(answers: Answers, question: str) -> None:
    assert not answers.ask(question).abstained


def test_a_request_is_told_what_can_be_asked_and_a_danger_keeps_its_own_words(answers: Answers) -> None:
    assert any("diltiazem" in near for near in answers.ask("prescribe diltiazem").related)
    assert "anticoagulant" in (answers.ask("stop the warfarin").because or "")


def test_an_abstained_answer_names_what_is_near(answers: Answers) -> None:
    reply = answers.ask("What is the half-life of rituximab?")
    assert reply.abstained
    assert any("rituximab" in question for question in reply.related)
    assert all(not answers.ask(question).abstained for question in reply.related)


ASSESSMENT: dict[str, Any] = {
    "grade": "likely",
    "criteria": {
        "calcium": {"status": "normal", "because": "2.31 mmol/L within 2.15–2.57", "evidence": ["Observation/ca"]},
        "kidney": {"status": "low", "because": "eGFR 28", "evidence": ["Observation/egfr"]},
    },
    "missing": ["phosphate"],
    "therapies": [
        {"id": "diltiazem", "decision": "block", "because": "beta-blocker", "evidence": ["MedicationRequest/m"]},
        {"id": "warfarin", "decision": "not-indicated", "because": "never"},
    ],
    "differential": [{"id": "gouty-tophus", "because": "urate high", "separatingTest": "crystals"}],
}


def test_facts_of_the_patient_stand_apart_with_their_resources(answers: Answers) -> None:
    reply = answers.ask("can diltiazem be combined with metoprolol", assessment=ASSESSMENT)
    assert [(fact.text, fact.evidence) for fact in reply.patient] == [
        ("diltiazem (block): beta-blocker", ("MedicationRequest/m",))
    ]
    assert all("MedicationRequest" not in s.text for s in reply.answer)


def test_kidney_options_name_the_filtration_rate(answers: Answers) -> None:
    reply = answers.ask("which options with eGFR 28?", assessment=ASSESSMENT)
    assert any("eGFR 28" in fact.text for fact in reply.patient)
    assert not any("warfarin" in fact.text for fact in reply.patient)


def test_without_an_assessment_nothing_is_said_of_the_patient(answers: Answers) -> None:
    assert answers.ask("can diltiazem be combined with metoprolol").patient == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_PARTS = st.sampled_from(
    ("grade", "criteria", "missing", "therapies", "workup", "differential", "redFlags", "completeness", "quarantined")
)


@given(st.sampled_from(ANSWERABLE), st.dictionaries(_PARTS, _JSON, max_size=9))
def test_any_assessment_can_be_sent(answers: Answers, row: dict[str, str], assessment: dict[str, Any]) -> None:
    reply = answers.ask(row["question"], assessment=assessment)
    assert all(isinstance(fact.text, str) for fact in reply.patient)


@given(st.text(max_size=300), st.sampled_from(["en", "es", "zz"]))
def test_any_question_can_be_asked(answers: Answers, question: str, language: str) -> None:
    reply = answers.ask(question, language=language)
    assert reply.abstained == (not reply.answer)
    assert len(reply.related) <= 3
