"""The conversation by cards: which finding is asked for, and that its record is read by the next call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hooks.dialogue.change import HYPOTHETICAL
from hooks.knowledge.card_schema import load_cards
from mappings.facts import Lesion
from tests.conformance import check_response
from tests.hooks.cards.examples import CALCIUM, KIDNEY, LUPUS, PATIENT, PHOSPHATE, Example, cards, understand

TALK = load_cards().conversation
QUESTIONS = {question.id: question for question in TALK.questions}
UNSTATED = "Exam | nodules on the left forearm, first noticed 3 months ago | -10d\n"
HARD = "Exam | hard nodules on the left forearm | -10d\n"
HARD_SINCE = "Exam | hard nodules on the left forearm, first noticed 3 months ago | -10d\n"
CHALKY = "Exam | hard nodules on the left forearm with chalky white discharge, first noticed 3 months ago | -10d\n"
ANTAGONIST = "Medication | warfarin | 2 mg/d | -90d\n"
XRAY_FOREARM = "Imaging | X-ray of the left forearm | Subcutaneous calcification of the left forearm. | -5d\n"
RARE = "Condition | Rheumatoid arthritis | onset -9y | recorded -9y\n"
COMPLETE = CALCIUM + PHOSPHATE + KIDNEY

ASKED = {
    "consistency": [PATIENT + LUPUS + UNSTATED + CALCIUM, PATIENT + LUPUS + UNSTATED],
    "chalky": [PATIENT + RARE + HARD_SINCE + COMPLETE],
    "ulcer": [PATIENT + LUPUS + CHALKY, PATIENT + LUPUS + HARD_SINCE + COMPLETE + ANTAGONIST],
    "first-noticed": [PATIENT + LUPUS + HARD + COMPLETE],
    "extent": [PATIENT + LUPUS + HARD_SINCE + COMPLETE + XRAY_FOREARM],
}


def records(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    drafts = [s["actions"][0]["resource"] for card in found for s in card.get("suggestions", ())]
    return [r for r in drafts if r["resourceType"] == "Observation"]


def asked(table: str, **more: Any) -> str | None:
    """The id of the question on the card; at most one, and told in the text too."""
    found = cards(Example(table), **more)
    assert check_response({"cards": found}, patient="Patient/patient-1") == []
    codes = {r["code"]["text"] for r in records(found)}
    assert len(codes) <= 1
    if not codes:
        assert "**One question**" not in str(found)
        return None
    (question,) = (q for q in QUESTIONS.values() if q.code in codes)
    assert question.ask in found[0]["detail"]
    return question.id


def answered(table: str, resource: dict[str, Any]) -> str:
    """The chart with the record that the EHR made of the accepted suggestion."""
    return table + f"Resource | {json.dumps(resource | {'id': 'recorded-1'})}\n"


@pytest.mark.parametrize(("question", "table"), [(q, t) for q, tables in ASKED.items() for t in tables])
def test_the_finding_that_would_change_the_answer_most_is_asked_for(question: str, table: str) -> None:
    assert asked(table) == question


@pytest.mark.parametrize(("question", "table"), [(q, t) for q, tables in ASKED.items() for t in tables])
def test_each_answer_is_read_by_the_next_call_and_moves_it(question: str, table: str) -> None:
    before, _ = understand(Example(table))
    for resource in records(cards(Example(table))):
        after, facts = understand(Example(answered(table, resource)))
        (read,) = (le for le in facts.lesions if le.ref == "Observation/recorded-1")
        meant = next(
            a.finding
            for a in QUESTIONS[question].answers
            if resource["valueCodeableConcept"]["text"].startswith(a.value.split("{")[0])
            and resource["valueCodeableConcept"]["text"].endswith(a.value.rpartition("}")[2])
        )
        assert _says(read, meant), (resource["valueCodeableConcept"]["text"], read)
        assert after != before
        assert asked(answered(table, resource)) != question, "what was answered is not asked again"


def _says(read: Lesion, meant: Any) -> bool:
    hardness = meant.hardness is None or read.hardness == meant.hardness
    since = meant.onset_days is None or read.onset is not None
    return (
        hardness
        and since
        and (read.chalky, read.ulcerated, read.long_standing)
        >= (
            meant.chalky,
            meant.ulcerated,
            meant.long_standing,
        )
    )


def test_hardness_decides_the_grade() -> None:
    table = PATIENT + LUPUS + UNSTATED + CALCIUM
    grades = {
        r["valueCodeableConcept"]["text"]: understand(Example(answered(table, r)))[0].grade
        for r in records(cards(Example(table)))
    }
    assert grades == {"hard nodules": "probable", "soft nodules": "none"}


def test_chalky_material_lifts_a_rare_disease() -> None:
    (table,) = ASKED["chalky"]
    (record,) = records(cards(Example(table)))
    grades = [understand(Example(t))[0].grade for t in (table, answered(table, record))]
    assert grades == ["possible", "probable"]


def test_an_ulcer_under_a_vitamin_k_antagonist_raises_the_flag() -> None:
    table = ASKED["ulcer"][1]
    (record,) = records(cards(Example(table)))
    after, _ = understand(Example(answered(table, record)))
    assert "calciphylaxis" in {flag.id for flag in after.red_flags}


def test_a_lesion_of_few_weeks_raises_the_flag() -> None:
    (table,) = ASKED["first-noticed"]
    found = {r["valueCodeableConcept"]["text"]: r for r in records(cards(Example(table)))}
    after, _ = understand(Example(answered(table, found["hard nodules first noticed in the last 3 weeks"])))
    assert "rapid-onset" in {flag.id for flag in after.red_flags}


def test_the_number_opens_the_options() -> None:
    (table,) = ASKED["extent"]
    assert len(cards(Example(table))) == 1
    extents = {}
    for record in records(cards(Example(table))):
        assessment, _ = understand(Example(answered(table, record)))
        extents[record["valueCodeableConcept"]["text"]] = assessment.criteria.lesion.extent
        assert len(cards(Example(answered(table, record)))) == 2, "the card with the options is there"
    assert extents == {"up to 5 hard nodules": "localized", "at least 6 hard nodules": "extensive"}


def test_the_record_is_coded_and_says_who_where_and_when() -> None:
    (first, *_) = records(cards(Example(ASKED["consistency"][0]), user="Practitioner/7"))
    assert first["code"]["coding"][0]["code"] == "95324001"
    assert first["bodySite"]["text"] == "left forearm"
    assert first["effectiveDateTime"] == "2026-06-01"
    assert first["performer"] == [{"reference": "Practitioner/7"}]


def test_everything_said_nothing_asked() -> None:
    said = "Exam | stony-hard ulcerated nodules with chalky discharge, left elbow, first noticed 3 months ago | -10d\n"
    assert asked(PATIENT + LUPUS + said + COMPLETE) is None


def test_a_restricted_lesion_is_not_asked_about() -> None:
    hidden = "Exam | nodules on the left forearm | -10d | security=R\n"
    assert asked(PATIENT + LUPUS + hidden + CALCIUM) is None


@pytest.mark.parametrize("table", [tables[0] for tables in ASKED.values()])
def test_what_was_only_supposed_leaves_no_trace(table: str) -> None:
    assert HYPOTHETICAL not in str(cards(Example(table)))
