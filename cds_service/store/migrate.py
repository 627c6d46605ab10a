"""Brings a database to the newest schema, one process at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

_LOCK = 4_260_911_307
"""key of PostgreSQL's advisory lock; any number that nobody else takes."""


_SCRIPTS = Path(__file__).parent / "migrations"


def newest() -> str:
    """The newest revision: the files of the migrations are named by theirs."""
    return max(file.name.partition("_")[0] for file in (_SCRIPTS / "versions").glob("[0-9]*.py"))


def _current(connection: Connection) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    return list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars()) == [newest()]


def migrate(engine: Engine) -> None:
    """Runs the migrations that this database has not seen yet (none, when it is current)."""
    with engine.connect() as connection:
        if _current(connection):
            return
    from alembic import command  # a tenth of a second that an up-to-date database need not wait for
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    with _alone(engine), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """SQLite has no lock that spans DDL: a lock file beside the database has."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:":
        yield
        return
    with Path(f"{path}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
