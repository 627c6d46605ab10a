"""What the companion leaves in a chart is read by the next card: the words of its records are, its own are not."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from msgspec.structs import replace

from cds_service.companion import saving
from cds_service.companion.talk import dialogue
from cds_service.companion.view import PageView
from cds_service.pages import rendered
from cds_service.pipeline import Brain, load_brain
from hooks.assess import assess
from hooks.model import Assessment
from mappings.text.own_words import BEGIN, END, without_own_words
from tests.charts import TODAY, chart
from tests.hooks.cards.examples import CALCIUM, KIDNEY, LUPUS, NODULES, PATIENT, PHOSPHATE, USUAL, XRAY

CHARTS = {
    "no lesion": PATIENT + LUPUS + CALCIUM,
    "calcium unknown": PATIENT + LUPUS + NODULES,
    "options": USUAL.replace("61y", "30y") + XRAY,
    "kidney failure": PATIENT + LUPUS + NODULES + CALCIUM + "Condition | End-stage renal disease | onset -3y\n",
}
CHILD = "Patient | female | 9y\nCondition | Juvenile dermatomyositis | onset -3y\n" + (
    NODULES + CALCIUM + PHOSPHATE + KIDNEY + XRAY
)


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain(TODAY)


def told(assessment: Assessment) -> tuple[Any, ...]:
    lesion, calcium = assessment.criteria.lesion, assessment.criteria.calcium
    options = {item.id: item.decision for item in assessment.therapies}
    return (
        assessment.grade,
        assessment.card,
        {f.id for f in assessment.red_flags},
        options,
        lesion.extent,
        calcium.status,
    )


def answers(brain: Brain, table: str) -> list[tuple[str, tuple[str, ...]]]:
    """Every open question with each of its answers."""
    found = []
    for question in dialogue(brain, brain.reader.read(chart(table).raw()), TODAY).open({}):
        if question.kind in ("number", "sites"):
            found.extend((question.id, trial) for trial in question.trials)
        else:
            found.extend((question.id, (answer.id,)) for answer in question.answers)
    return found


def document(words: str) -> dict[str, Any]:
    data = base64.b64encode(words.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "id": "note-1",
        "status": "current",
        "type": {"text": "Progress note"},
        "subject": {"reference": "Patient/patient-1"},
        "date": f"{TODAY.isoformat()}T10:00:00Z",
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
    }


def again(brain: Brain, table: str, *more: dict[str, Any]) -> Assessment:
    raw = chart(table).raw()
    return assess(brain.reader.read(replace(raw, resources=(*raw.resources, *more))), brain.knowledge, TODAY)


@pytest.mark.parametrize("name", CHARTS)
def test_what_was_saved_means_what_was_said(brain: Brain, name: str) -> None:
    """The note of a saved finding named calcinosis, and a patient without a lesion had one on the next call."""
    table = CHARTS[name]
    talk = dialogue(brain, brain.reader.read(chart(table).raw()), TODAY)
    for question, values in answers(brain, table):
        step = talk.at({question: values}, ask=False)
        found = saving.savable(step)
        if not found or len(found) != len(step.records):
            continue
        stored = [body | {"id": f"s{n}", "note": [{"text": saving.NOTE}]} for n, body in enumerate(found)]
        assert told(again(brain, table, *stored)) == told(step.assessment), (question, values)


@pytest.mark.parametrize("name", CHARTS)
def test_a_summary_that_is_copied_into_a_note_says_what_was_stated_and_no_more(brain: Brain, name: str) -> None:
    table = CHARTS[name]
    talk = dialogue(brain, brain.reader.read(chart(table).raw()), TODAY)
    for question, values in answers(brain, table):
        given = {question: values}
        step = talk.at(given, ask=False)
        summary = saving.summary(talk, given, step)
        assert told(again(brain, table, document(summary))) == told(step.assessment), (question, values)
        pasted = told(again(brain, table, document("\n".join(summary.partition(BEGIN)[1:]))))
        assert pasted == told(talk.baseline), "questions and verdict are no findings"


def test_what_stands_behind_the_marks_is_read() -> None:
    assert without_own_words(f"one {BEGIN} two {END} three {BEGIN} four {END}").split() == ["one", "three"]
    assert without_own_words(f"one {BEGIN} two\nthree\r\n\r\nfour").split() == ["one", "four"], "the end was cut off"
    assert without_own_words(f"one {BEGIN} two").split() == ["one"]


def test_what_is_ruled_out_needs_no_test_and_names_no_dose(brain: Brain) -> None:
    talk = dialogue(brain, brain.reader.read(chart(CHILD).raw()), TODAY)
    options = {o.name: o for o in PageView(talk.at({}), brain.knowledge, "").options()}
    out = [option for option in options.values() if option.decision == "block"]
    assert len(out) > 10
    assert all(option.needs == () and option.cap is None for option in out)


def test_what_the_card_adds_stands_on_the_page_too(brain: Brain) -> None:
    """A vitamin K antagonist with a lesion: the card said to think of calciphylaxis, the page did not."""
    table = CHARTS["options"] + "Medication | warfarin | 3 mg/d | -400d\n"
    talk = dialogue(brain, brain.reader.read(chart(table).raw()), TODAY)
    step = talk.at({})
    live = rendered(
        "companion/live.html", title="t", headings={}, base="", step=step, view=PageView(step, brain.knowledge, "")
    )
    assert re.search(r'<p class="note">A vitamin K antagonist[^<]*think of calciphylaxis', live)


@pytest.mark.parametrize(
    ("table", "grade", "heading"),
    [
        (PATIENT + NODULES + CALCIUM + XRAY, "none", "not graded"),
        (CHARTS["kidney failure"], "alternative", "not fitting dystrophic calcinosis"),
        (CHARTS["options"], "likely", "Possible dystrophic calcinosis cutis"),
    ],
)
def test_the_page_is_headed_as_its_verdict_is(brain: Brain, table: str, grade: str, heading: str) -> None:
    """It was 'Possible dystrophic calcinosis cutis' over every verdict, and nothing spoke for it without a CTD."""
    talk = dialogue(brain, brain.reader.read(chart(table).raw()), TODAY)
    step = talk.at({})
    view = PageView(step, brain.knowledge, "")
    named = {"title": talk.data.title, "headings": talk.data.headings}
    live = rendered("companion/live.html", **named, base="", step=step, view=view)
    assert step.assessment.grade == grade
    assert heading in live.partition("</h1>")[0]
    assert not any("Nothing speaks" in sentence for sentence in view.sentences)
    assert grade != "alternative" or "Possible calcinosis" not in " ".join(view.sentences)
