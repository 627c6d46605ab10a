"""The engine of a database: SQLite or PostgreSQL by URL, and its errors without statement and data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from cds_service.store.records import StoreError


def open_engine(url: str) -> Engine:
    """Connects to nothing yet. StoreError for a URL that names no such database, or a folder that can't be made."""
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise StoreError("CDS_DATABASE_URL is not a database URL") from None
    if found.drivername in ("postgres", "postgresql"):
        found = found.set(drivername="postgresql+psycopg")
    if found.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError("CDS_DATABASE_URL must be sqlite or postgresql")
    if found.get_backend_name() == "postgresql":
        try:
            return create_engine(found, pool_size=5, max_overflow=5, pool_pre_ping=True, pool_timeout=2)
        except ImportError:
            raise StoreError("CDS_DATABASE_URL: PostgreSQL needs the extra `postgres` to be installed") from None
    if not found.database or found.database == ":memory:":
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        try:
            Path(found.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"CDS_DATABASE_URL: the folder can't be made: {type(error).__name__}") from None
        engine = create_engine(found, connect_args={"timeout": 5})
    event.listen(engine, "connect", _sqlite_options)
    return engine


def _sqlite_options(connection: Any, _: Any) -> None:
    """Readers do not block the writer; what is committed survives a crash; deleting cascades, and overwrites."""
    for option in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {option}")


def insert_of(dialect: str) -> Callable[[Table], Any]:
    """The INSERT that can pass over what is there already. The dialects bring several drivers along: only one is
    imported."""
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_postgresql

        return insert_postgresql
    from sqlalchemy.dialects.sqlite import insert as insert_sqlite

    return insert_sqlite


class reported:  # noqa: N801 - a context manager read as a word
    """Any database error becomes a StoreError that quotes neither statement nor data. `driver`: what the database's
    driver raises, where its own connection or cursor is used; SQLAlchemy does not know of that."""

    def __init__(self, driver: type[Exception] = SQLAlchemyError) -> None:
        self._kinds = (SQLAlchemyError, driver)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is not None and isinstance(error, self._kinds):
            raise StoreError(f"the database failed: {type(error).__name__}") from None
