"""A database that answers and can't be written: a PostgreSQL that is read-only, a disk without room. `/readyz` says so
and why, calls are answered, what could not be kept waits or is counted, and all is well again afterwards."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, func, select
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.settings import Settings
from cds_service.store import Store
from cds_service.store.tables import evaluations, secrets
from tests.cds_service.test_feedback import fire, item, send
from tests.charts import TODAY

SETTINGS = Settings(profile="sandbox", as_of=TODAY)


@contextmanager
def read_only(store: Store) -> Iterator[None]:
    """As a standby is, or a database that an operator closed: every new transaction is read-only."""
    admin = create_engine(store.engine.url, isolation_level="AUTOCOMMIT")

    def setting(value: str) -> None:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
            connection.exec_driver_sql("SELECT pg_reload_conf()")

    setting("on")
    try:
        yield
    finally:
        setting("off")
        admin.dispose()


@contextmanager
def no_room(store: Store) -> Iterator[None]:
    """No file may grow beyond what the log of the database takes now."""
    log = Path(f"{store.engine.url.database}-wal")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


UNWRITABLE = {"postgresql": (read_only, "the database is read-only"),
              "sqlite": (no_room, "the database can't be written")}  # fmt: skip


def soon(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


def lost(client: TestClient, what: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    start = f'cds_store_failures_total{{what="{what}"}} '
    return sum(float(line.removeprefix(start)) for line in lines if line.startswith(start))


def kept(store: Store) -> int:
    with store.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(evaluations)) or 0


def test_it_is_not_ready_until_it_can_be_written_again(store: Store) -> None:
    unwritable, reason = UNWRITABLE[store.engine.dialect.name]
    with TestClient(create_app(SETTINGS, store=store), client=("127.0.0.1", 1)) as client:
        assert client.get("/readyz").json()["status"] == "ready"
        cards = fire(client)
        assert soon(lambda: kept(store) == 1)
        with unwritable(store):
            assert soon(lambda: send(client, item(cards[0]["uuid"])).status_code == 503)
            assert fire(client)
            answer = client.get("/readyz")
            assert answer.status_code == 503
            assert answer.json() | {"status": "degraded", "reason": reason} == answer.json()
            assert lost(client, "feedback") >= 1
            assert lost(client, "record") >= 1
        assert soon(lambda: client.get("/readyz").status_code == 200)
        assert soon(lambda: kept(store) == 2), "what could not be written had waited"
        assert lost(client, "lost") == 0
        assert send(client, item(cards[0]["uuid"])).status_code == 200
        assert "reason" not in client.get("/readyz").json()


def test_a_read_only_database_is_seen_before_anything_is_lost(store: Store) -> None:
    if store.engine.dialect.name != "postgresql":
        pytest.skip("SQLite tells by a write only")
    with TestClient(create_app(SETTINGS, store=store), client=("127.0.0.1", 1)) as client:
        assert client.get("/readyz").status_code == 200
        with read_only(store):
            assert soon(lambda: client.get("/readyz").status_code == 503)
        assert soon(lambda: client.get("/readyz").status_code == 200)


def test_sessions_that_began_read_only_are_not_used_for_ever(store: Store) -> None:
    """A setting of the database counts for the sessions that begin after it: those that were opened meanwhile stay
    read-only when it is taken back."""
    if store.engine.dialect.name != "postgresql":
        pytest.skip("PostgreSQL only")
    with store.engine.begin() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    store.engine.dispose()
    held = [store.engine.connect() for _ in range(3)]
    for connection in held:
        connection.close()
    admin = create_engine(store.engine.url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("SET SESSION default_transaction_read_only = off")
        connection.exec_driver_sql(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    admin.dispose()
    with TestClient(create_app(SETTINGS, store=store), client=("127.0.0.1", 1)) as client:
        client.get("/readyz")
        assert client.get("/readyz").status_code == 200
        for _ in range(4):
            fire(client)
        assert lost(client, "record") == 0


def test_readiness_writes_once_and_then_only_where_it_is_in_doubt(store: Store) -> None:
    written: list[str] = []

    def seen(*args: object) -> None:
        statement = str(args[2])
        if statement.startswith(("INSERT", "DELETE", "UPDATE")):
            written.append(statement.split()[0])

    engine: Engine = store.engine
    event.listen(engine, "before_cursor_execute", seen)
    for _ in range(5):
        store.ping()
    assert written == ["INSERT", "DELETE"]
    with suppress(ZeroDivisionError), store.writing():
        raise ZeroDivisionError
    store.ping()
    store.ping()
    assert written == ["INSERT", "DELETE"] * 2
    with engine.connect() as connection:
        assert [row.name for row in connection.execute(select(secrets))] == ["pseudonym"]
