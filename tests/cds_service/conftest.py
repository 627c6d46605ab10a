"""Databases for the store's tests (SQLite in a file, and a real PostgreSQL where its programs are installed), and the
application that is asked in both ways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cds_service.store import Store
from tests.cds_service.fast_paths import Ways, answering
from tests.databases import NoPostgresError, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL of our own, on a free loopback port; stopped at the end."""
    try:
        with postgres_server() as url:
            yield url
    except NoPostgresError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/cds.sqlite3"
    url: str = request.getfixturevalue("postgres")
    store = Store(url)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    store.close()
    return url


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = Store(database)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def glancing() -> Iterator[TestClient]:
    with answering() as client:
        yield client


@pytest.fixture
def ways(glancing: TestClient, monkeypatch: pytest.MonkeyPatch) -> Ways:
    """A service whose fast path of a silent patient can be closed."""
    return Ways(glancing, monkeypatch)
