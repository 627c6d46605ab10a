"""Documents, assessments and questionnaires are read as notes; HTML keeps the bounds of its lines and cells."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.reader.plain import lines_of
from tests.mappings.reader.sent import read

HARD = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Hard plaque over the left iliac crest, 4 months.</p></div>'


def composition(**section: Any) -> dict[str, Any]:
    told = {"title": "Exam", "text": {"status": "additional", "div": HARD}} | section
    return {"resourceType": "Composition", "id": "c", "status": "final", "date": "2026-05-24", "section": [told]}


def impression(status: str = "completed") -> dict[str, Any]:
    told = "Stony-hard nodules of both buttocks for three months."
    return {"resourceType": "ClinicalImpression", "id": "i", "status": status, "date": "2026-05-24", "summary": told}


def answers(answer: dict[str, Any], question: str = "Any hard lumps under the skin?", **more: Any) -> dict[str, Any]:
    item = [{"linkId": "g", "text": "Skin", "item": [{"linkId": "1", "text": question, "answer": [answer]}]}]
    return {"resourceType": "QuestionnaireResponse", "id": "q", "status": "completed", "item": item} | more


def hard(resource: dict[str, Any]) -> list[str]:
    facts = read({"subject": {"reference": "Patient/p"}} | resource)
    return [lesion.hardness for lesion in facts.lesions if lesion.certainty == "confirmed"]


@pytest.mark.parametrize(
    "resource",
    [composition(), impression(), answers({"valueBoolean": True}), answers({"valueCoding": {"display": "Yes"}})],
)
def test_they_tell_of_a_lesion(resource: dict[str, Any]) -> None:
    assert hard(resource) == ["definite"]


@pytest.mark.parametrize(
    "resource",
    [
        composition(entry=[{"reference": "Observation/1"}]),
        composition(title="Family history"),
        composition() | {"status": "entered-in-error"},
        impression("entered-in-error"),
        answers({"valueBoolean": False}),
        answers({"valueCoding": {"display": "No"}}),
        answers({"valueBoolean": True}, "Has a relative had hard lumps?"),
        answers({"valueBoolean": True}, status="entered-in-error"),
        answers({"valueBoolean": True}, questionnaire="http://example.org/Questionnaire/calcinosis-dialogue"),
        answers({}),
    ],
)
def test_they_tell_of_none(resource: dict[str, Any]) -> None:
    assert hard(resource) == []


def test_a_denial_ends_with_its_item() -> None:
    told = "<ul><li>Skin: <b>denies</b> rash</li></ul><table><tr><td>Skin</td><td>2 hard\n lumps</td></tr></table>"
    assert lines_of(told) == "Skin: denies rash\nSkin | 2 hard lumps |"
    assert lines_of("<pre>one\ntwo</pre>") == "one\ntwo"
