"""The dialogue over FHIR SDC: a client that only knows the standard, from the first question to the verdict."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from fhir.resources.R4B.parameters import Parameters
from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.charts import TODAY, chart
from tests.hooks.dialogue.test_dialogue import CHART

NEXT = "/fhir/Questionnaire/$next-question"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = create_app(Settings(profile="sandbox", as_of=TODAY, database_url="sqlite://"))
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="module")
def form(client: TestClient) -> dict[str, Any]:
    return client.get("/fhir/Questionnaire/calcinosis-dialogue").json()


def start(form: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "contained": [{"resourceType": "Questionnaire", "id": "q", "status": "active", "derivedFrom": [form["url"]]}],
        "questionnaire": "#q",
        "status": "in-progress",
    }


def ask(client: TestClient, response: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(NEXT, json=response)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/fhir+json"
    QuestionnaireResponse.model_validate(answer.json())
    return answer.json()


def last(response: dict[str, Any]) -> dict[str, Any]:
    return response["contained"][0]["item"][-1]


def reply(response: dict[str, Any], choose: random.Random) -> None:
    """Answers the last question as the item allows; sometimes not at all."""
    item = last(response)
    prerequisite = item["linkId"] in ("ctd", "lesion")  # without these there is nothing more to ask
    if choose.random() < 0.15 and not prerequisite:
        return
    if item["type"] == "choice":
        answer = {"valueCoding": choose.choice(item["answerOption"][: 1 if prerequisite else None])["valueCoding"]}
    else:
        kind = item["type"].title()
        limits = [extension[f"value{kind}"] for extension in item["extension"]]
        answer = {f"value{kind}": choose.randint(int(limits[0]) + 1, int(limits[1]))}
    response.setdefault("item", []).append({"linkId": item["linkId"], "answer": [answer]})


def test_the_questionnaire_is_adaptive_and_valid(form: dict[str, Any]) -> None:
    Questionnaire.model_validate(form)
    assert "item" not in form
    assert form["extension"][0]["url"].endswith("sdc-questionnaire-questionnaireAdaptive")


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.long), pytest.param(5, marks=pytest.mark.long)])
def test_a_client_that_knows_only_the_standard_gets_to_a_verdict(
    client: TestClient, form: dict[str, Any], seed: int
) -> None:
    choose, response, asked = random.Random(seed), ask(client, start(form)), list[str]()
    for _ in range(40):
        if response["status"] == "completed":
            break
        asked.append(last(response)["linkId"])
        reply(response, choose)
        response = ask(client, response)
    assert response["status"] == "completed"
    assert len(set(asked)) == len(asked) > 3
    assert last(response)["type"] == "display"
    assert last(response)["text"].startswith("Grade: ")
    assert [item["linkId"] for item in response["contained"][0]["item"][:-1]] == asked


def test_with_a_chart_the_verdict_is_the_patients(client: TestClient, form: dict[str, Any]) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "questionnaire-response",
                "resource": start(form) | {"subject": {"reference": "Patient/patient-1"}},
            },
            {"name": "chart", "resource": chart(CHART).json()},
        ],
    }
    answer = client.post(NEXT, json=body)
    assert answer.status_code == 200, answer.text
    Parameters.model_validate(answer.json())
    response = answer.json()["parameter"][0]["resource"]
    assert last(response)["linkId"] not in ("ctd", "lesion", "calcium"), "the chart knows these"
    assert response["subject"] == {"reference": "Patient/patient-1"}
    body["parameter"][0]["resource"]["subject"] = {"reference": "Patient/other"}
    refused = client.post(NEXT, json=body)
    assert refused.status_code == 400
    assert refused.json()["issue"][0]["expression"] == ["QuestionnaireResponse.subject"]


def _changed(response: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(response)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "element"),
    [
        (["contained", 0, "item", 0, "text"], "Is it raining?", "QuestionnaireResponse.contained[0].item[0].text"),
        (["contained", 0, "item", 0, "linkId"], "q99", "QuestionnaireResponse.contained[0].item[0].linkId"),
        (["contained", 0, "item", 0, "answerOption"], [], "QuestionnaireResponse.contained[0].item[0].answerOption"),
        (["contained", 0, "derivedFrom"], ["http://other"], "QuestionnaireResponse.contained[0].derivedFrom"),
        (["contained", 0, "version"], "0.0.0", "QuestionnaireResponse.contained[0].version"),
        (["contained"], [], "QuestionnaireResponse.contained"),
        (["item"], "text", "QuestionnaireResponse.item"),
        (["item"], [{"linkId": "q1"}], "QuestionnaireResponse.item[0].linkId"),
        (["item"], [{"linkId": "ctd"}, {"linkId": "ctd"}], "QuestionnaireResponse.item[1].linkId"),
        (
            ["item"],
            [{"linkId": "ctd", "answer": [{"valueCoding": {"code": "ctd.gout"}}]}],
            "QuestionnaireResponse.item[0].answer[0].valueCoding.code",
        ),
        (
            ["item"],
            [{"linkId": "ctd", "answer": [{"valueString": "lupus"}]}],
            "QuestionnaireResponse.item[0].answer[0].valueCoding.code",
        ),
        (
            ["item"],
            [{"linkId": "ctd", "answer": [{"valueCoding": {"code": f"ctd.{c}"}} for c in ("sle", "mctd")]}],
            "QuestionnaireResponse.item.where(linkId='ctd').answer",
        ),
        (["resourceType"], "Patient", "QuestionnaireResponse.resourceType"),
    ],
)
def test_what_does_not_fit_is_named(
    client: TestClient, form: dict[str, Any], path: list[Any], value: Any, element: str
) -> None:
    answer = client.post(NEXT, json=_changed(ask(client, start(form)), path, value))
    assert answer.status_code == 400
    issue = answer.json()["issue"][0]
    assert issue["expression"] == [element]
    assert "raining" not in answer.text


@pytest.mark.parametrize("parameter", [None, [], [{"name": "other"}], [{"name": "questionnaire-response"}]])
def test_parameters_are_checked(client: TestClient, parameter: Any) -> None:
    answer = client.post(NEXT, json={"resourceType": "Parameters", "parameter": parameter})
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"][0].startswith("Parameters.parameter")
