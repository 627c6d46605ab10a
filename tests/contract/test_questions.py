"""`POST /questions` over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.charts import TODAY, chart
from tests.serving import listening


@pytest.fixture(scope="module")
def service() -> Iterator[httpx.Client]:
    with (
        listening(create_app(Settings(profile="sandbox", as_of=TODAY))) as url,
        httpx.Client(base_url=url, timeout=10) as client,
    ):
        yield client


def ask(service: httpx.Client, body: Any) -> httpx.Response:
    return service.post("/questions", json=body)


def test_an_answer_has_citations_that_resolve(service: httpx.Client) -> None:
    answer = ask(service, {"question": "What is the evidence for diltiazem?", "language": "en"}).json()
    assert answer["abstained"] is False
    assert answer["answer"]
    for sentence in answer["answer"]:
        for key in sentence["citations"]:
            assert service.get(f"/evidence/{key}").status_code == 200
    assert answer["patient"] == []


def test_the_assessment_of_a_real_chart_is_used(service: httpx.Client) -> None:
    bundle = chart("""
        Patient    | female | 49y
        Condition  | SLE | onset -17y
        Exam       | stony-hard nodules over both elbows | -10d
        Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
        Medication | metoprolol
    """).json()
    call = {
        "hook": "patient-view",
        "hookInstance": "1",
        "context": {"userId": "Practitioner/1", "patientId": "patient-1"},
        "prefetch": {"conditions": bundle},
    }
    assessment = service.post("/assessments", json=call).json()
    answer = ask(service, {"question": "¿Puedo dar diltiazem con metoprolol?", "assessment": assessment}).json()
    assert answer["patient"], answer
    assert "diltiazem" in answer["patient"][0]["text"]


def test_an_abstained_answer(service: httpx.Client) -> None:
    answer = ask(service, {"question": "What is the dose of dapsone?"}).json()
    assert (answer["abstained"], answer["answer"], answer["because"]) == (True, [], "I have no source for that.")


@pytest.mark.parametrize(
    ("body", "element"),
    [
        ({}, "question"),
        ({"question": ""}, "question"),
        ({"question": 7}, "question"),
        ({"question": "x" * 2001}, "question"),
        ({"question": "dose?", "language": 5}, "language"),
        ({"question": "dose?", "assessment": "none"}, "assessment"),
        ([], "request"),
    ],
)
def test_bad_input_names_the_element(service: httpx.Client, body: Any, element: str) -> None:
    answer = ask(service, body)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == [element]
