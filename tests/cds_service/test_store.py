"""The store on both databases: nothing twice, nothing lost, nobody else's, and no patient by name."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, select, text

from cds_service import async_store
from cds_service.audit.events import Event
from cds_service.feedback import FeedbackItem
from cds_service.metrics import Metrics
from cds_service.store import CardRecord, Claim, EvaluationRecord, Store, StoreError, SuggestionRecord, migrations
from cds_service.store.migrate import migrate, newest
from cds_service.store.tables import feedback, metadata

AT = datetime(2026, 6, 1, 10, tzinfo=UTC)


def evaluation(store: Store, number: int = 1, tenant: str = "hospital", at_ms: int = 1000) -> EvaluationRecord:
    return EvaluationRecord(
        id=f"evaluation-{tenant}-{number}",
        at_ms=at_ms,
        tenant=tenant,
        service="calcinosis-patient-view",
        patient_key=store.key(tenant, "patient", "p1"),
        knowledge_version="1.0.0",
        grade="likely",
        card="management",
        outcome="shown",
        milliseconds=1.5,
        cards=(
            CardRecord(f"card-{tenant}-{number}", "calcinosisManagement", frozenset({"aa", "bb"}),
                       (SuggestionRecord(f"suggestion-{tenant}-{number}", "ServiceRequest 1"),)),
        ),
    )  # fmt: skip


def said(card: str, outcome: str = "overridden", at: datetime = AT, **more: object) -> FeedbackItem:
    return FeedbackItem(card=card, outcome=outcome, timestamp=at, **more)  # type: ignore[arg-type]


def test_the_migrations_make_the_tables_of_the_program(store: Store) -> None:
    found = inspect(store.engine)
    for table in metadata.sorted_tables:
        assert {c["name"] for c in found.get_columns(table.name)} == set(table.columns.keys())
    with store.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == newest() == "0004"
    migrate(store.engine)


def test_many_may_open_a_new_database_at_once(database: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        stores = list(threads.map(lambda _: Store(database), range(6)))
    assert len({store.key("t", "patient", "p1") for store in stores}) == 1
    for store in stores:
        store.close()


def test_what_was_shown_comes_back_with_the_latest_verdict(store: Store) -> None:
    store.record([evaluation(store)])
    key = store.key("hospital", "patient", "p1")
    (shown,) = store.shown_before("hospital", key)
    assert (shown.topic, shown.material, shown.verdict) == ("calcinosisManagement", frozenset({"aa", "bb"}), None)
    later = AT.replace(hour=12)
    store.add_feedback(
        "hospital",
        "s",
        [said("card-hospital-1", "accepted", later, suggestions=("x",)), said("card-hospital-1")],
        int(later.timestamp() * 1000),
    )
    (shown,) = store.shown_before("hospital", key)
    assert shown.verdict == "accepted", "the later timestamp counts, not the order of arrival"


def test_a_clock_that_is_ahead_makes_no_verdict_the_last_one(store: Store) -> None:
    store.record([evaluation(store)])
    now_ms, key = int(AT.timestamp() * 1000), store.key("hospital", "patient", "p1")
    store.add_feedback("hospital", "s", [said("card-hospital-1", at=AT.replace(year=9999))], now_ms)
    (shown,) = store.shown_before("hospital", key)
    assert (shown.verdict, shown.verdict_ms) == ("overridden", now_ms)
    later = said("card-hospital-1", "accepted", AT.replace(minute=1), suggestions=("x",))
    store.add_feedback("hospital", "s", [later], now_ms + 60_000)
    (shown,) = store.shown_before("hospital", key)
    assert (shown.verdict, shown.verdict_ms) == ("accepted", now_ms + 60_000)


def test_feedback_is_kept_once_and_history_stays(store: Store) -> None:
    store.record([evaluation(store)])
    item = said("card-hospital-1", reason=("http://x", "later"), comment="words")
    assert store.add_feedback("hospital", "s", [item, item], 5) == 1
    assert store.add_feedback("hospital", "s", [item], 6) == 0
    other = said("card-hospital-1", "accepted", AT.replace(minute=1), suggestions=("s1", "s2"))
    assert store.add_feedback("hospital", "s", [other], 7) == 1
    same = said("card-hospital-1", "accepted", AT.replace(minute=1), suggestions=("s2", "s1"))
    assert store.add_feedback("hospital", "s", [same], 8) == 0
    assert store.add_feedback("hospital", "s", [said("unknown card")], 9) == 1
    with store.engine.connect() as connection:
        rows = connection.execute(select(feedback.c.card, feedback.c.matched).order_by(feedback.c.id)).all()
    assert rows == [("card-hospital-1", True), ("card-hospital-1", True), (rows[-1].card, False)]
    assert re.fullmatch(r"other-[0-9a-f]{32}", rows[-1].card), "what is no id of ours may be anything: its hash is kept"


def test_tenants_do_not_see_each_other(store: Store) -> None:
    store.record([evaluation(store, tenant="a"), evaluation(store, tenant="b")])
    assert store.key("a", "patient", "p1") != store.key("b", "patient", "p1")
    store.add_feedback("b", "s", [said("card-a-1")], 5)
    (shown,) = store.shown_before("a", store.key("a", "patient", "p1"))
    assert shown.verdict is None


def test_a_token_is_first_then_a_repeat_then_reused(store: Store) -> None:
    def use(tenant: str = "t", request: str = "r", now: int = 0) -> str:
        return store.use_tokens([Claim(tenant, "jti", request, 300_000)], now, 30_000)[0]

    assert [use(), use(now=29_000), use(now=31_000), use(request="other"), use(tenant="u")] == [
        "first", "repeat", "reused", "reused", "first",
    ]  # fmt: skip


def test_of_many_claims_of_a_token_one_is_first(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        claims = [[Claim("t", "jti", f"request {n}", 10**6)] * 2 for n in range(24)]
        uses = list(threads.map(lambda two: store.use_tokens(two, 0, 30_000), claims))
    assert sorted(use for two in uses for use in two) == ["first", "repeat"] + ["reused"] * 46


def test_claims_are_made_together_and_each_is_told_its_own(store: Store) -> None:
    def claims(*ids: str) -> list[Claim]:
        return [Claim("t", jti, f"request {jti}", 10**6) for jti in ids]

    assert store.use_tokens(claims("b", "a"), 0, 30_000) == ["first", "first"]
    assert store.use_tokens(claims("c", "a", "d", "b"), 40_000, 30_000) == ["first", "reused", "first", "reused"]


def test_concurrent_writers_lose_nothing(store: Store) -> None:
    def write(number: int) -> int:
        store.record([evaluation(store, number)])
        return store.add_feedback("hospital", "s", [said(f"card-hospital-{number}"), said("shared")], number)

    with ThreadPoolExecutor(8) as threads:
        new = sum(threads.map(write, range(40)))
    assert new == 41
    assert len(store.shown_before("hospital", store.key("hospital", "patient", "p1"))) == 40


def test_retention_and_erasure(store: Store) -> None:
    day = 86_400_000
    store.record([evaluation(store, 1, at_ms=0), evaluation(store, 2, at_ms=50 * day)])
    store.add_feedback("hospital", "s", [said("card-hospital-1")], 0)
    store.use_tokens([Claim("hospital", "jti", "r", 1000)], 0, 30_000)
    store.expire(60 * day, {"hospital": 30}, 2190)
    key = store.key("hospital", "patient", "p1")
    assert [shown.at_ms for shown in store.shown_before("hospital", key)] == [50 * day]
    assert store.use_tokens([Claim("hospital", "jti", "r", 61 * day)], 60 * day, 30_000) == ["first"]
    store.add_feedback("hospital", "s", [said("card-hospital-2")], 60 * day)
    store.erase("hospital", key, 0)
    assert store.shown_before("hospital", key) == []
    assert _rows(store) == 0


def _rows(store: Store) -> int:
    with store.engine.connect() as connection:
        tables = ("evaluations", "cards", "suggestions", "feedback")
        return sum(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables)  # noqa: S608


def test_no_patient_by_name(store: Store, database: str) -> None:
    record = evaluation(store)
    assert "p1" not in record.patient_key
    own = Store(database, "k" * 32)
    assert own.key("hospital", "patient", "p1") != record.patient_key, "a key of the operator's own replaces ours"
    own.close()


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite:////proc/none/x.sqlite3"])
def test_a_database_that_can_t_be_used_is_named_without_its_password(url: str) -> None:
    with pytest.raises(StoreError, match=r"database|CDS_DATABASE_URL"):
        Store(url)
    with pytest.raises(StoreError) as error:
        Store("postgresql://cds:secret@127.0.0.1:1/x")
    assert "secret" not in str(error.value)


WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID
from cds_service import async_store
from cds_service.feedback import FeedbackItem
from cds_service.metrics import Metrics
from cds_service.store import Store

store = Store(sys.argv[1])
start = datetime(2026, 6, 1, tzinfo=UTC)
number = 0
while True:
    item = FeedbackItem(card=str(UUID(int=number)), outcome="overridden", timestamp=start + timedelta(seconds=number))
    store.add_feedback("t", "s", [item], number)
    print(number, flush=True)
    number += 1
"""


def test_kill_loses_nothing_acknowledged(database: str) -> None:
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, database],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(25)]
    process.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in process.stdout.read().split("\n")[:-1] if line]
    process.wait(10)
    store = Store(database)
    with store.engine.connect() as connection:
        kept = {row.card for row in connection.execute(select(feedback.c.card))}
    store.close()
    assert {str(UUID(int=number)) for number in acknowledged} <= kept


def test_a_database_of_the_first_version_is_brought_up_with_its_rows(database: str) -> None:
    store = Store(database)
    store.record([evaluation(store)])
    with store.engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    assert "sex" not in {c["name"] for c in inspect(store.engine).get_columns("evaluations")}
    store.close()
    again = Store(database)
    assert len(again.shown_before("hospital", again.key("hospital", "patient", "p1"))) == 1
    with again.engine.connect() as connection:
        assert connection.execute(text("SELECT sex FROM evaluations")).scalar_one() is None
    again.close()


def test_silent_evaluations_are_written_together_and_all_of_them_at_an_orderly_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(f"sqlite:///{tmp_path}/cds.sqlite3")
    written: list[int] = []
    record = store.record

    def noted(rows: list[EvaluationRecord], events: list[Event]) -> None:
        written.append(len(rows))
        record(rows, events)

    monkeypatch.setattr(store, "record", noted)
    monkeypatch.setattr(async_store, "_GATHER_SECONDS", 60.0)
    kept = async_store.AsyncStore(store, Metrics(), 2.0)

    async def some() -> None:
        for number in range(5):
            await kept.record(msgspec.structs.replace(evaluation(store), id=f"silent-{number}", cards=()))

    asyncio.run(some())
    assert not written
    kept.close()
    assert sum(written) == 5
    rows = list(Store(f"sqlite:///{tmp_path}/cds.sqlite3").audit_rows())
    assert len(rows) == 5
