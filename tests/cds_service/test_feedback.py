"""Feedback and what it does to the next call, over HTTP (rows F-1 to F-14 of the feedback section)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.errors import BadRequest
from cds_service.feedback import parse_feedback
from cds_service.settings import Settings
from cds_service.store import Store, StoreError
from cds_service.store.tables import evaluations, feedback, suggestions
from hooks.knowledge.card_schema import load_override_reasons
from tests.charts import DETECTION, TODAY, chart

SERVICE = "/cds-services/calcinosis-patient-view"
REASONS = load_override_reasons()
SILENT = """
    Patient   | female | 49y
    Condition | Hypertension | onset -3y
"""
NEW_LESION = "Exam | new stony-hard nodule on the left thigh | -1d"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/cds.sqlite3")


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    app = create_app(Settings(profile="sandbox", as_of=TODAY, suppression=True), store=store)
    with TestClient(app, client=("127.0.0.1", 1)) as found:
        yield found


def request(table: str = DETECTION, user: str = "Practitioner/1", **context: str) -> dict[str, Any]:
    return {
        "hook": "patient-view",
        "hookInstance": "1",
        "context": {"userId": user, "patientId": "patient-1", **context},
        "prefetch": {"conditions": chart(table).json(), "laboratory": None, "examinations": None},
    }


def fire(client: TestClient, table: str = DETECTION, **more: Any) -> list[dict[str, Any]]:
    answer = client.post(SERVICE, json=request(table, **more))
    assert answer.status_code == 200, answer.text
    cards: list[dict[str, Any]] = answer.json()["cards"]
    return cards


def item(card: str, outcome: str = "overridden", **more: Any) -> dict[str, Any]:
    accepted = {"acceptedSuggestions": [{"id": "s1"}]} if outcome == "accepted" else {}
    return {"card": card, "outcome": outcome, "outcomeTimestamp": "2026-06-01T10:00:00Z"} | accepted | more


def send(client: TestClient, *items: Any) -> Any:
    return client.post(f"{SERVICE}/feedback", json={"feedback": list(items)})


def rows(store: Store, table: Any = feedback) -> list[Any]:
    with store.engine.connect() as connection:
        return list(connection.execute(select(table)))


def dismissal(reason: str) -> dict[str, Any]:
    return {"overrideReason": {"reason": {"code": reason, "system": REASONS.system}}}


@pytest.mark.parametrize("reason", [reason.code for reason in REASONS.reasons])
def test_dismissed_card_stays_away_until_a_new_lesion(client: TestClient, reason: str) -> None:
    cards = fire(client)
    assert cards
    now = {"outcomeTimestamp": _now()}
    assert send(client, item(cards[0]["uuid"], **dismissal(reason), **now)).status_code == 200
    assert fire(client) == []
    assert fire(client, user="Practitioner/2") == []
    assert fire(client, DETECTION + NEW_LESION), "a new lesion brings the card back"


def test_accepting_keeps_the_card_and_reopening_shows_it(client: TestClient) -> None:
    cards = fire(client)
    suggestion = cards[0]["suggestions"][0]["uuid"]
    accepted = item(cards[0]["uuid"], "accepted", acceptedSuggestions=[{"id": suggestion}], outcomeTimestamp=_now())
    assert send(client, accepted).status_code == 200
    assert fire(client), "within the grace the same user sees it again"


def test_repeat_is_off_in_the_sandbox_unless_asked_for(store: Store) -> None:
    with TestClient(
        create_app(Settings(profile="sandbox", as_of=TODAY), store=store), client=("127.0.0.1", 1)
    ) as plain:
        (first, *_) = fire(plain)
        send(plain, item(first["uuid"], **dismissal("patient-ineligible")))
        assert fire(plain)


def test_another_patient_is_not_affected(client: TestClient) -> None:
    send(client, item(fire(client)[0]["uuid"], outcomeTimestamp=_now()))
    other = chart(DETECTION, patient_id="patient-2").json()
    body = request(patientId="patient-2") | {"prefetch": {"conditions": other}}
    body["context"]["patientId"] = "patient-2"
    assert client.post(SERVICE, json=body).json()["cards"]


@pytest.mark.parametrize(
    ("body", "element"),
    [
        ({}, "feedback"),
        ({"feedback": {}}, "feedback"),
        ({"feedback": ["x"]}, "feedback[0]"),
        ({"feedback": [{"outcome": "accepted"}]}, "feedback[0].card"),
        ({"feedback": [item("c", "ignored")]}, "feedback[0].outcome"),
        ({"feedback": [item("c", "accepted", acceptedSuggestions=[])]}, "feedback[0].acceptedSuggestions"),
        ({"feedback": [item("c", "accepted", acceptedSuggestions=[{}])]}, "feedback[0].acceptedSuggestions[0].id"),
        ({"feedback": [item("c", overrideReason={})]}, "feedback[0].overrideReason"),
        ({"feedback": [item("c", outcomeTimestamp="2026-06-01T10:00:00")]}, "feedback[0].outcomeTimestamp"),
        ({"feedback": [item("c"), item("c", outcomeTimestamp="now")]}, "feedback[1].outcomeTimestamp"),
    ],
)
def test_wrong_feedback_names_the_element_and_keeps_nothing(
    client: TestClient, store: Store, body: dict[str, Any], element: str
) -> None:
    if body == {"feedback": [{"outcome": "accepted"}]}:
        body["feedback"][0] |= {"outcomeTimestamp": "2026-06-01T10:00:00Z", "acceptedSuggestions": [{"id": "s"}]}
    answer = client.post(f"{SERVICE}/feedback", json=body)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == [element]
    assert rows(store) == []


def test_every_legal_form_is_kept_once(client: TestClient, store: Store) -> None:
    (card, *_) = fire(client)
    reason = {"code": "expert-contradicts", "system": REASONS.system}
    batch = [
        item(card["uuid"]),
        item(card["uuid"], outcomeTimestamp="2026-06-01T10:00:01.250Z", overrideReason={"reason": reason}),
        item(card["uuid"], outcomeTimestamp="2026-06-01T12:00:02+02:00", overrideReason={"userComment": "no"}),
        item(card["uuid"], "accepted", outcomeTimestamp="2026-06-01T10:00:03Z", extension={"com.example": {"x": [1]}}),
        item("a card of long ago", outcomeTimestamp="2026-06-01T10:00:04Z"),
    ]
    assert send(client, *batch, batch[0]).status_code == 200
    assert send(client, *batch).status_code == 200
    assert send(client).status_code == 200
    kept = rows(store)
    assert [row.matched for row in kept] == [True, True, True, True, False]
    assert [row.outcome for row in kept] == ["overridden", "overridden", "overridden", "accepted", "overridden"]


def test_feedback_of_an_unknown_service_is_404(client: TestClient) -> None:
    assert client.post("/cds-services/none/feedback", json={"feedback": []}).status_code == 404


def test_the_record_holds_codes_and_no_words_of_the_chart(client: TestClient, store: Store) -> None:
    cards = fire(client, encounterId="encounter-9")
    (row,) = rows(store, evaluations)
    assert (row.outcome, row.card) == ("shown", "detection")
    kept = "\n".join(str(tuple(r)) for table in (evaluations, suggestions) for r in rows(store, table))
    assert len(rows(store, suggestions)) == sum(len(card.get("suggestions", ())) for card in cards)
    for word in ("patient-1", "Practitioner/1", "encounter-9", "elbow", "stony", "2.31", "SLE", "lupus"):
        assert word not in kept


def test_silent_evaluations_are_written_soon(client: TestClient, store: Store) -> None:
    assert fire(client, SILENT) == []
    assert _soon(lambda: [row.outcome for row in rows(store, evaluations)] == ["nothing"])


def test_what_is_queued_is_written_at_the_end(store: Store) -> None:
    with TestClient(create_app(Settings(profile="sandbox", as_of=TODAY), store=store), client=("127.0.0.1", 1)) as one:
        for _ in range(20):
            fire(one, SILENT)
    assert len(rows(store, evaluations)) == 20


class Broken:
    """A store whose database is gone: every call fails, as a failing database makes it fail."""

    connections = (0, 0)

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        if name in ("key", "close"):
            return getattr(self._store, name)

        def fails(*_: Any) -> None:
            raise StoreError("the database failed")

        return fails


def test_without_the_store_cards_are_shown_and_feedback_is_not_acknowledged(store: Store) -> None:
    settings = Settings(profile="sandbox", as_of=TODAY, suppression=True)
    with TestClient(create_app(settings, store=Broken(store)), client=("127.0.0.1", 1)) as client:  # type: ignore[arg-type]
        cards = fire(client)
        assert cards
        answer = send(client, item(cards[0]["uuid"]))
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert client.get("/readyz").json()["status"] == "degraded"
        assert b'cds_store_failures_total{what="feedback"} 1.0' in client.get("/metrics").content


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _soon(holds: Callable[[], bool]) -> bool:
    for _ in range(100):
        if holds():
            return True
        time.sleep(0.02)
    return False


def test_too_many_or_too_long_says_so() -> None:
    item = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-06-01T10:00:00Z"}
    with pytest.raises(BadRequest, match="at most 200 items"):
        parse_feedback({"feedback": [item] * 201})
    with pytest.raises(BadRequest, match="at most 200 characters"):
        parse_feedback({"feedback": [item | {"card": "x" * 201}]})
