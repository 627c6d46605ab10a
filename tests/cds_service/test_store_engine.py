"""The engine of a database: which URLs open one, what every SQLite connection is set to, what is told of an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert

from cds_service.store.engine import insert_of, open_engine, reported
from cds_service.store.records import StoreError

ROWS = Table("rows", MetaData(), Column("id", Integer, primary_key=True), Column("said", String))


def test_a_file_is_made_with_its_folder_and_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "cds.sqlite3"
    engine = open_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        asked = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        told = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in asked}
    engine.dispose()
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    assert file.exists()


def test_a_database_in_memory_is_the_same_for_every_connection() -> None:
    engine = open_engine("sqlite://")
    with engine.begin() as connection:
        ROWS.create(connection)
        connection.execute(insert(ROWS).values(id=1))
    with engine.connect() as connection:
        assert connection.execute(ROWS.select()).one().id == 1
    engine.dispose()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgresql_is_spoken_to_through_psycopg(scheme: str) -> None:
    engine = open_engine(f"{scheme}://cds@127.0.0.1:1/x")
    assert engine.dialect.name == "postgresql"
    assert engine.driver == "psycopg"


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://cds:secret@host/x", "oracle://cds:secret@host/x"])
def test_any_other_database_is_refused_by_the_setting_s_name(url: str) -> None:
    with pytest.raises(StoreError, match="CDS_DATABASE_URL") as refused:
        open_engine(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_an_insert_may_pass_over_what_is_there(dialect: str) -> None:
    assert "ON CONFLICT" in str(insert_of(dialect)(ROWS).values(id=1).on_conflict_do_nothing())


def test_an_error_quotes_neither_statement_nor_data() -> None:
    engine = open_engine("sqlite://")
    with engine.connect() as connection:
        ROWS.create(connection)
        connection.execute(insert(ROWS).values(id=1, said="hard nodule"))
        with pytest.raises(StoreError) as told, reported():
            connection.execute(insert(ROWS).values(id=1, said="hard nodule"))
    engine.dispose()
    assert str(told.value) == "the database failed: IntegrityError"
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


def test_what_is_no_error_of_the_database_stays_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), reported():
        raise ZeroDivisionError
