"""Feedback, row by row of the protocol's checklist (F-1 to F-14), over real HTTP."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from cds_service.app import create_app
from cds_service.settings import Settings
from cds_service.store import Store
from cds_service.store.tables import feedback
from hooks.knowledge.card_schema import load_override_reasons
from tests.charts import TODAY
from tests.serving import listening

PATH = "/cds-services/calcinosis-patient-view/feedback"
SYSTEM = load_override_reasons().system
CODE = load_override_reasons().reasons[0].code
AT, ELSEWHERE = "2021-12-11T10:05:31Z", "2021-12-11T11:05:31+01:00"
CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"


def accepted(**more: Any) -> dict[str, Any]:
    return {"card": CARD, "outcome": "accepted", "acceptedSuggestions": [{"id": "s1"}], "outcomeTimestamp": AT} | more


def dismissed(reason: Any = ..., **more: Any) -> dict[str, Any]:
    said = {} if reason is ... else {"overrideReason": reason}
    return {"card": CARD, "outcome": "overridden", "outcomeTimestamp": AT} | said | more


def without(item: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != key}


ROWS: list[tuple[str, Any, int, int]] = [
    # row, feedback (or a whole body), status, items kept
    ("F-1 no feedback", {"body": {}}, 400, 0),
    ("F-1 not an array", {"body": {"feedback": accepted()}}, 400, 0),
    ("F-1 not an object", {"body": [accepted()]}, 400, 0),
    ("F-1 nothing in it", [], 200, 0),
    ("F-2 no card", [without(accepted(), "card")], 400, 0),
    ("F-2 empty card", [accepted(card=" ")], 400, 0),
    ("F-2 unknown card", [accepted(card="a card of before the restart")], 200, 1),
    ("F-3 another outcome", [accepted(outcome="ignored")], 400, 0),
    ("F-3 no outcome", [without(accepted(), "outcome")], 400, 0),
    ("F-4 nothing accepted", [without(accepted(), "acceptedSuggestions")], 400, 0),
    ("F-4 empty", [accepted(acceptedSuggestions=[])], 400, 0),
    ("F-4 without id", [accepted(acceptedSuggestions=[{"x": 1}])], 400, 0),
    ("F-4 two", [accepted(acceptedSuggestions=[{"id": "s1"}, {"id": "s2"}])], 200, 1),
    ("F-5 no reason", [dismissed()], 200, 1),
    ("F-5 a coded reason", [dismissed({"reason": {"code": CODE, "system": SYSTEM, "display": "x"}})], 200, 1),
    ("F-5 a comment", [dismissed({"userComment": "seen by dermatology"})], 200, 1),
    ("F-5 both", [dismissed({"reason": {"code": CODE, "system": SYSTEM}, "userComment": "x"})], 200, 1),
    ("F-5 empty", [dismissed({})], 400, 0),
    ("F-5 reason is text", [dismissed({"reason": "no"})], 400, 0),
    ("F-6 without display", [dismissed({"reason": {"code": CODE, "system": SYSTEM}})], 200, 1),
    ("F-6 without system", [dismissed({"reason": {"code": CODE}})], 200, 1),
    ("F-6 another system", [dismissed({"reason": {"code": "own-1", "system": "urn:own"}})], 200, 1),
    ("F-7 milliseconds", [dismissed(outcomeTimestamp="2021-12-11T10:05:31.250Z")], 200, 1),
    ("F-7 an offset", [dismissed(outcomeTimestamp="2021-12-11T12:05:31+02:00")], 200, 1),
    ("F-7 without zone", [dismissed(outcomeTimestamp="2021-12-11T10:05:31")], 400, 0),
    ("F-7 none", [without(dismissed(), "outcomeTimestamp")], 400, 0),
    ("F-8 a batch", [accepted(), dismissed(card="another")], 200, 2),
    ("F-8 the same twice", [accepted(), accepted()], 200, 1),
    ("F-8 the same moment in another zone", [dismissed(), dismissed(outcomeTimestamp=ELSEWHERE)], 200, 1),
    ("F-8 one wrong spoils the batch", [accepted(), accepted(outcome="x")], 400, 0),
    ("F-9 dismissed, then accepted", [dismissed(), accepted(outcomeTimestamp="2021-12-12T10:05:31Z")], 200, 2),
    ("F-11 status and body", [accepted()], 200, 1),
    ("F-13 a long comment", [dismissed({"userComment": "z" * 5000})], 200, 1),
    ("F-14 extensions", [accepted(extension={"com.example": [1]}, foo={"bar": None})], 200, 1),
]  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Store]]:
    url = f"sqlite:///{tmp_path_factory.mktemp('feedback') / 'cds.sqlite3'}"
    store = Store(url)
    with (
        listening(create_app(Settings(profile="sandbox", as_of=TODAY), store=store)) as base,
        httpx.Client(base_url=base, timeout=10) as client,
    ):
        yield client, store


def kept(store: Store) -> list[Any]:
    with store.engine.connect() as connection:
        return list(connection.execute(select(feedback).order_by(feedback.c.id)))


@pytest.mark.parametrize(("row", "items", "status", "count"), ROWS, ids=[row[0] for row in ROWS])
def test_row(
    running: tuple[httpx.Client, Store],
    caplog: pytest.LogCaptureFixture,
    row: str,
    items: Any,
    status: int,
    count: int,
) -> None:
    client, store = running
    with store.engine.begin() as connection:
        connection.execute(feedback.delete())
    body = items["body"] if isinstance(items, dict) else {"feedback": items}
    with caplog.at_level(logging.DEBUG):
        answer = client.post(PATH, json=body)
        again = client.post(PATH, json=body)
    assert (answer.status_code, again.status_code) == (status, status), answer.text
    found = kept(store)
    assert len(found) == count, "kept once, however often it is sent"
    if status == 400:
        assert answer.json()["resourceType"] == "OperationOutcome"
    for item in found:
        assert item.comment is None or len(item.comment) <= 2000
        assert item.outcome in ("accepted", "overridden")
    said = [entry["overrideReason"]["userComment"] for entry in _entries(body) if "userComment" in _reason(entry)]
    log = caplog.text
    assert not [words for words in said if len(words) > 1 and words in log], "F-13: a comment is never logged"


def _entries(body: Any) -> list[dict[str, Any]]:
    entries = body.get("feedback", []) if isinstance(body, dict) else []
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _reason(entry: dict[str, Any]) -> dict[str, Any]:
    reason = entry.get("overrideReason", {})
    return reason if isinstance(reason, dict) else {}


def test_the_order_of_a_card_s_history_is_kept(running: tuple[httpx.Client, Store]) -> None:
    """F-9: overridden, then accepted, both kept."""
    client, store = running
    with store.engine.begin() as connection:
        connection.execute(feedback.delete())
    for item in (dismissed(), accepted(outcomeTimestamp="2021-12-12T10:05:31Z")):
        assert client.post(PATH, content=json.dumps({"feedback": [item]})).status_code == 200
    assert [entry.outcome for entry in kept(store)] == ["overridden", "accepted"]
