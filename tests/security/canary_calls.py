"""Every address of the service called in every way that a chart or a person's words can take, full of canaries."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

from cds_service.sandbox.charts import chart
from tests.cds_service.companion.test_launch import Window
from tests.demo import Demo
from tests.security.canaries import CANARIES, CHART, DAY, FAULTS, PATH, PATIENT, FaultyServer, World


def hook(**changes: Any) -> dict[str, Any]:
    bundle = chart(CHART, today=DAY, patient_id=PATIENT, prefix="qzresourceid-").json()
    bundle["entry"].append(
        {"resource": {"resourceType": "Observation", "id": "QZMRN7351", "status": "Qznotetext", "valueString": 1}}
    )
    body: dict[str, Any] = {
        "hook": "patient-view",
        "hookInstance": "qzhookinstance",
        "context": {
            "userId": "Practitioner/qzuserid",
            "patientId": PATIENT,
            "encounterId": "qzencounterid",
            "extension": {"Qznotetext": "QZMRN7351"},
        },
        "prefetch": {"conditions": bundle, "laboratory": None, "examinations": None},
    }
    return body | changes


def granted() -> dict[str, Any]:
    return {
        "access_token": "qzaccesstoken",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "qzuserid",
    }


def everything(world: World, page: str) -> None:
    """Every address in every way that a chart or a person's words can take."""
    world.http.headers.update({"User-Agent": "qzheadervalue", "Referer": "http://qzheadervalue/"})
    world.send("POST", PATH, json=hook(), headers={"X-Forwarded-For": "qzheadervalue"})
    _hooks(world)
    _broken(world)
    _reads(world)
    _words(world)
    _companion(world, page)
    _faults(world)


def _hooks(world: World) -> None:
    answer = world.send("POST", PATH, json=hook())
    assert answer.status_code == 200, answer.text
    cards = answer.json()["cards"]
    assert cards, "the canary answer is a card"
    assert world.send("POST", "/assessments", json=hook()).status_code == 200
    assert world.send("POST", PATH, json=hook(prefetch={}, fhirServer=world.fhir)).json()["cards"]
    for service in world.send("GET", "/cds-services").json()["services"]:
        body = hook(hook=service["hook"], context=hook()["context"] | {"draftOrders": hook()["prefetch"]["conditions"]})
        body["context"]["selections"] = ["MedicationRequest/qzresourceid"]
        world.send("POST", f"/cds-services/{service['id']}", json=body)
        world.send("GET", f"/cds-services/{service['id']}/source-attributes")
    said: dict[str, Any] = {
        "card": cards[0]["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": "2026-06-01T10:00:00Z",
        "overrideReason": {
            "reason": {"code": "patient-ineligible", "system": "Qznotetext"},
            "userComment": "Qzfeedbackcomment",
        },
    }
    feedback = world.send("POST", f"{PATH}/feedback", json={"feedback": [said]})
    assert feedback.status_code == 200, feedback.text
    without_words = {"card": "Qznotetext", "overrideReason": {"reason": said["overrideReason"]["reason"]}}
    for change in (without_words, {"outcome": "Qznotetext"}, {"outcomeTimestamp": "Qznotetext"}, {"card": 5}):
        world.send("POST", f"{PATH}/feedback", json={"feedback": [said | change]})


def _broken(world: World) -> None:
    for change in (
        {"hook": "Qznotetext"},
        {"hookInstance": ["Qznotetext"]},
        {"context": "Qznotetext"},
        {"context": {"patientId": "Qznotetext/../x", "userId": "Practitioner/1"}},
        {"context": {"patientId": PATIENT, "userId": "Qzfamilyname"}},
        {"prefetch": "Qznotetext"},
        {"prefetch": {"conditions": {"resourceType": "Bundle", "entry": "Qznotetext"}}},
        {"prefetch": {"Qznotetext": {"resourceType": "Qznotetext", "id": "QZMRN7351"}}},
        {"fhirServer": "Qzaddresspart"},
        {"fhirServer": "http://qzaddresspart.example.org/", "fhirAuthorization": granted()},
        {"fhirAuthorization": "qzaccesstoken"},
        {"fhirAuthorization": granted()},
        {"fhirAuthorization": granted() | {"expires_in": "Qznotetext"}, "fhirServer": world.fhir},
    ):
        for path in (PATH, "/assessments"):
            world.send("POST", path, json=hook(**change))
    whole = json.dumps(hook()).encode()
    for content in (whole[:-20], whole.replace(b'"hook":', b'"hook":"Qznotetext","hook":', 1), b'"Qznotetext"', b"Qz"):
        world.send("POST", PATH, content=content, headers={"Content-Type": "application/json"})
    for headers in (
        {"Content-Type": "text/Qznotetext"},
        {"Content-Type": "application/json", "Content-Encoding": "Qznotetext"},
        {"Content-Type": "application/json", "Authorization": "Bearer qzaccesstoken.qzaccesstoken.qzaccesstoken"},
    ):
        world.send("POST", PATH, content=whole, headers=headers)
    with socket.create_connection(("127.0.0.1", world.port)) as connection:  # not HTTP at all
        connection.sendall(b"Qznotetext Qznotetext\r\nQznotetext\r\n\r\n")
        connection.recv(1000)
    with socket.create_connection(("127.0.0.1", world.port)) as connection:  # gone in the middle of the body
        connection.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n".encode()
            + b'{"hook":"Qznotetext'
        )


def _reads(world: World) -> None:
    for path in (
        "/cds-services",
        "/evidence",
        "/evidence/awaiting-confirmation",
        "/evidence/Qznotetext",
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/openapi.json",
        "/fhir/Questionnaire/calcinosis-dialogue",
        "/companion",
        "/companion/launch?iss=http://qzaddresspart.example.org/&launch=qzaccesstoken",
        "/companion/callback?state=qzaccesstoken&code=qzaccesstoken",
        "/companion/s/qzaccesstoken",
        "/companion/assets/Qznotetext",
        f"/{CANARIES['name']}/{PATIENT}?name=Qzfamilyname",
        "/cds-services/Qznotetext/source-attributes",
    ):
        world.send("GET", path, headers={"Cookie": "companion=qzaccesstoken"})
    world.send("PUT", PATH, content=b"Qznotetext")
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        world.send(method, f"{PATH}/Qznotetext?Qzfamilyname", headers={"Origin": "http://qzaddresspart.example.org"})


def _words(world: World) -> None:
    assessment = world.send("POST", "/assessments", json=hook()).json()
    for body in (
        {"question": "Qztypedquestion: is diltiazem safe for Qzfamilyname?", "assessment": assessment},
        {"question": "Qztypedquestion" * 200},
        {"question": "what is calcinosis", "language": "Qztypedquestion" * 5},
        {"question": "what is calcinosis", "assessment": "Qznotetext"},
        {"question": "what is calcinosis", "assessment": assessment | {"grade": "Qznotetext", "workup": "Qznotetext"}},
        {"question": {"Qztypedquestion": 1}},
    ):
        world.send("POST", "/questions", json=body)
    bundle = hook()["prefetch"]["conditions"]
    for response in (
        {
            "resourceType": "QuestionnaireResponse",
            "status": "in-progress",
            "subject": {"reference": f"Patient/{PATIENT}"},
        },
        {
            "resourceType": "QuestionnaireResponse",
            "status": "in-progress",
            "questionnaire": f"{world.url}/fhir/Questionnaire/calcinosis-dialogue",
            "item": [{"linkId": "Qzquestionnaireanswer", "answer": [{"valueString": "Qzquestionnaireanswer"}]}],
        },
        {"resourceType": "Qzquestionnaireanswer"},
    ):
        world.send("POST", "/fhir/Questionnaire/$next-question", json=response)
        named = [{"name": "questionnaire-response", "resource": response}, {"name": "chart", "resource": bundle}]
        world.send(
            "POST", "/fhir/Questionnaire/$next-question", json={"resourceType": "Parameters", "parameter": named}
        )
    odd = {"resourceType": "Parameters", "parameter": [{"name": "Qzquestionnaireanswer"}]}
    world.send("POST", "/fhir/Questionnaire/$next-question", json=odd)


def _companion(world: World, page: str) -> None:
    window = Window(Demo(world.url, page))
    window.http.event_hooks["response"].append(world.answers.append)
    url, html = window.open(PATIENT)
    assert "Qzfamilyname" in html, "the banner shows whom it is about"
    window.get(f"{url}/style.css")
    window.get(f"{url}/alive")
    window.get(f"{url}/timeline-light.svg")
    asked = re.search(r'data-question="([^"]+)"', html)
    question = asked[1] if asked else "q1"
    for body in (
        {"question": question, "answers": ["Qzquestionnaireanswer"]},
        {"question": "Qzquestionnaireanswer", "answers": ["hard"]},
        {"question": question, "answers": "Qzquestionnaireanswer"},
        {"question": "q1", "answers": ["hard"]},
    ):
        window.post(url, html, "answers", body)
    for typed in ("Qztypedquestion: is diltiazem safe for Qzfamilyname?", "Qztypedquestion" * 200, ""):
        window.post(url, html, "questions", {"question": typed})
    window.post(url, html, "save", {"consent": "Qznotetext"})
    assert window.post(url, html, "save", {"consent": True}).status_code in (200, 400)
    window.post(url, html, "close", {})
    url, html = window.open(PATIENT)  # and one that stays open
    window.post(url, html, "answers", {"question": question, "answers": ["hard"]})
    world.answers[:] = [a for a in world.answers if not str(a.url).startswith(page)]


def _faults(world: World) -> None:
    """The hospital's server fails in every way, then our own database does."""
    server = FaultyServer()
    try:
        for fault in FAULTS:
            server.fault = fault
            for body in (
                hook(prefetch={}, fhirServer=server.url),
                hook(prefetch={}, fhirServer=server.url, fhirAuthorization=granted()),
            ):
                world.send("POST", PATH, json=body)
                world.send("POST", "/assessments", json=body)
        world.send("GET", f"/companion/launch?iss={server.url}&launch=qzaccesstoken")
    finally:
        server.close()
