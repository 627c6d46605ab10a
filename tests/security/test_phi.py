"""Canaries: nothing of a chart, a token or a person leaves through logs, errors or metrics, whatever goes wrong."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.logs import configure_logging
from cds_service.pipeline import Brain
from cds_service.settings import Settings
from cds_service.store import Store
from hooks.wire import FhirAuthorization
from tests.charts import TODAY, chart

PATH = "/cds-services/calcinosis-patient-view"
CANARIES = (
    "Kanarienvogel",
    "canary-patient",
    "canary-user",
    "canary-token",
    "canary-encounter",
    "8888.77",
    "CANARYMRN",
)
CHART = """
    Patient    | female | 49y
    Condition  | SLE | onset -17y
    Exam       | stony-hard nodules over both elbows Kanarienvogel | -10d
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
"""


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that any logger writes, through our own handler, at the most talkative level."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    configure_logging("DEBUG")
    out = io.StringIO()
    assert isinstance(root.handlers[0], logging.StreamHandler)
    root.handlers[0].setStream(out)
    root.setLevel(logging.DEBUG)
    yield out
    root.handlers[:] = before
    root.setLevel(level)


def call(**changes: Any) -> dict[str, Any]:
    bundle = chart(CHART, patient_id="canary-patient").json()
    bundle["entry"].append(
        {"resource": {"resourceType": "Observation", "id": "CANARYMRN", "status": "Kanarienvogel", "valueQuantity": 1}}
    )
    body = {
        "hook": "patient-view",
        "hookInstance": "Kanarienvogel",
        "fhirServer": "http://127.0.0.1:9/Kanarienvogel",
        "fhirAuthorization": {
            "access_token": "canary-token",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/Observation.read",
            "subject": "canary-user",
        },
        "context": {
            "userId": "Practitioner/canary-user",
            "patientId": "canary-patient",
            "encounterId": "canary-encounter",
        },
        "prefetch": {"conditions": bundle, "Kanarienvogel": {"resourceType": "Kanarienvogel", "value": 8888.77}},
    }
    return body | changes


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "Kanarienvogel"}]}
BROKEN = [
    call(),
    call(hook="Kanarienvogel"),
    call(hookInstance=None),
    call(context="Kanarienvogel"),
    call(context={"patientId": "Kanarienvogel/../x"}),
    call(context={"patientId": "canary-patient", "userId": "Kanarienvogel"}),
    call(prefetch="Kanarienvogel"),
    call(fhirServer="Kanarienvogel"),
    call(fhirServer="http://Kanarienvogel.example.org/"),
    call(fhirAuthorization={"access_token": "canary-token"}),
    call(fhirAuthorization="canary-token"),
    call(prefetch={"conditions": OUTCOME}),
    call(prefetch={"conditions": {"resourceType": "Bundle", "entry": "Kanarienvogel"}}),
]  # fmt: skip


@pytest.fixture
def store() -> Store:
    return Store("sqlite://")


@pytest.fixture
def client(store: Store, logged: io.StringIO) -> Iterator[TestClient]:
    app = create_app(Settings(profile="sandbox", as_of=TODAY, deadline_ms=500, suppression=True), store=store)
    with TestClient(app, client=("127.0.0.1", 1), raise_server_exceptions=False) as found:
        yield found


def clean(text: str) -> bool:
    found = [canary for canary in CANARIES if canary.lower() in text.lower()]
    assert not found, f"{found} in {text[:2000]}"
    return True


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("path", [PATH, "/assessments"])
def test_hook_calls(client: TestClient, logged: io.StringIO, path: str, body: dict[str, Any]) -> None:
    answer = client.post(path, json=body, headers={"Authorization": "Bearer canary-token"})
    if answer.status_code != 200:
        assert clean(answer.text)
    assert '"message":"request"' in logged.getvalue()
    assert clean(logged.getvalue())
    assert clean(client.get("/metrics").text)


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("GET", "/Kanarienvogel?x=CANARYMRN", b""),
        ("GET", "/evidence/Kanarienvogel", b""),
        ("GET", "/cds-services/Kanarienvogel/source-attributes", b""),
        ("DELETE", "/cds-services/Kanarienvogel", b""),
        ("POST", "/cds-services/Kanarienvogel", b"{}"),
        ("POST", f"{PATH}/feedback", b'{"feedback":[{"card":"Kanarienvogel","outcome":"Kanarienvogel"}]}'),
        ("POST", PATH, b'{"Kanarienvogel'),
        ("POST", PATH, b'{"hook":"Kanarienvogel","hook":1}'),
    ],
)
def test_other_calls(client: TestClient, logged: io.StringIO, method: str, path: str, content: bytes) -> None:
    answer = client.request(method, path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code >= 400
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert clean(answer.text)
    assert clean(logged.getvalue())
    assert clean(client.get("/metrics").text)


def test_comments_are_stored_and_not_logged(client: TestClient, logged: io.StringIO) -> None:
    override = {"userComment": "Kanarienvogel"}
    said = {
        "card": "c",
        "outcome": "overridden",
        "outcomeTimestamp": "2026-06-01T10:00:00Z",
        "overrideReason": override,
    }
    assert client.post(f"{PATH}/feedback", json={"feedback": [said]}).status_code == 200
    assert clean(logged.getvalue())


def test_unexpected_error_says_nothing(
    client: TestClient, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("Kanarienvogel fell over canary-patient")

    monkeypatch.setattr(Brain, "understand", fails)
    answer = client.post(PATH, json=call())
    assert answer.status_code == 500
    assert clean(answer.text)
    assert "RuntimeError" in logged.getvalue()
    assert clean(logged.getvalue())


def test_store_holds_no_canary(client: TestClient, store: Store) -> None:
    for body in BROKEN:
        client.post(PATH, json=body)
    with store.engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert "calcinosisIncomplete" in dump
    assert clean(dump)


def test_feedback_keeps_no_words_but_the_comment(client: TestClient, store: Store) -> None:
    """Ids and codes that are not ours may be anything, a name too: of them a hash is kept, or nothing."""
    reason = {"code": "Kanarienvogel", "system": "urn:canary-patient"}
    said = {"card": "CANARYMRN", "outcome": "overridden", "outcomeTimestamp": "2026-06-01T10:00:00Z"}
    taken = {"card": "c", "outcome": "accepted", "acceptedSuggestions": [{"id": "Kanarienvogel"}]}
    body = {"feedback": [said | {"overrideReason": {"reason": reason}}, said | taken]}
    assert client.post(f"{PATH}/feedback", json=body).status_code == 200
    with store.engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert "other-" in dump
    assert clean(dump)


def test_tokens_hide_themselves() -> None:
    assert clean(repr(FhirAuthorization("canary-token", "scope")))


def test_log_lines_are_json_of_allowed_fields(client: TestClient, logged: io.StringIO) -> None:
    client.post(PATH, json=call())
    logging.getLogger("cds_service").info("told", extra={"patient": "Kanarienvogel", "reason": "x"})
    logging.getLogger("somebody.else").error("Kanarienvogel %s", "canary-patient")
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    allowed = {
        "time",
        "level",
        "logger",
        "message",
        "route",
        "method",
        "status",
        "ms",
        "error",
        "tenant",
        "reason",
        "url",
    }
    assert lines
    assert all(set(line) <= allowed for line in lines)
    assert clean(logged.getvalue())
