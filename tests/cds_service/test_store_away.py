"""The database goes away while the service runs: every operation of the store says so in its own words, at once or in
the middle of its work, and the cards are shown all the same."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from cds_service.async_store import AsyncStore
from cds_service.audit.events import Event
from cds_service.errors import Overloaded
from cds_service.feedback import FeedbackItem
from cds_service.metrics import Metrics
from cds_service.store import CardRecord, Claim, EvaluationRecord, Store, StoreError
from tests.databases import NoPostgresError, postgres_server

ITEM = FeedbackItem(str(UUID(int=1)), "accepted", datetime(2026, 6, 1, tzinfo=UTC))
SHOWN = EvaluationRecord("e1", 1000, "hospital", "calcinosis-patient-view", "key", "1.0.0", "likely", "management",
                         "shown", 1.5, cards=(CardRecord("c1", "calcinosisManagement", frozenset(), ()),))  # fmt: skip
OPERATIONS: dict[str, Callable[[Store], Any]] = {
    "history": lambda store: store.shown_before("hospital", "key"),
    "record": lambda store: store.record([SHOWN]),
    "event": lambda store: store.record([], [Event(1000, "hospital", "evaluate", "x", "done")]),
    "token": lambda store: store.use_tokens([Claim("hospital", "jti", "hash", 9000)], 1000, 30_000),
    "feedback": lambda store: store.add_feedback("hospital", "calcinosis-patient-view", [ITEM], 1000),
    "expire": lambda store: store.expire(9**12, {}, 1),
    "ping": lambda store: store.ping(),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def gone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that worked until its database went away."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            folder = tmp_path_factory.mktemp("gone")
            store = Store(f"sqlite:///{folder}/cds.sqlite3")
            store.record([SHOWN])
            store.close()
            shutil.rmtree(folder)
        else:
            try:
                with postgres_server() as url:
                    store = Store(url)
                    store.record([SHOWN])
            except NoPostgresError as error:
                pytest.skip(str(error))
        stack.callback(store.close)
        yield store


@pytest.mark.parametrize("what", OPERATIONS)
def test_a_database_that_is_gone_is_a_store_error(gone: Store, what: str) -> None:
    for _ in range(2):
        with pytest.raises(StoreError, match="the database failed: OperationalError"):
            OPERATIONS[what](gone)


def test_the_application_goes_on_without_it(gone: Store) -> None:
    async def go() -> tuple[Any, Any]:
        store = AsyncStore(gone, Metrics(), 2.0)
        await store.record(SHOWN)
        with pytest.raises(Overloaded):
            await store.add_feedback("hospital", "calcinosis-patient-view", [ITEM])
        assert await store.trouble() == "the database failed: OperationalError"
        return await store.shown_before("hospital", "key"), await store.use_token("hospital", "jti", "hash", 9.0)

    assert asyncio.run(go()) == ([], None)


@pytest.mark.parametrize("what", ["record", "event", "feedback"])
def test_so_is_one_that_fails_in_the_middle(store: Store, what: str) -> None:
    """The rows of the trail are written last, by the driver's own cursor."""
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE audit")
    with pytest.raises(StoreError, match="the database failed"):
        OPERATIONS[what](store)
    assert store.shown_before("hospital", "key") == []
