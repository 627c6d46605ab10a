"""The audit trail: it can only grow, every change shows, and an erased patient leaves no name behind."""

from __future__ import annotations

import hmac
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from sqlalchemy import text

from cds_service.audit import trail
from cds_service.audit.events import Event
from cds_service.audit.fhir import audit_events
from cds_service.cli import main
from cds_service.store import EvaluationRecord, Store, StoreError

DAY = 86_400_000


def record(store: Store, number: int, tenant: str = "hospital", patient: str = "p1") -> EvaluationRecord:
    return EvaluationRecord(
        id=f"evaluation-{number}",
        at_ms=number * DAY,
        tenant=tenant,
        service="calcinosis-patient-view",
        patient_key=store.key(tenant, "patient", patient),
        user_key=store.key(tenant, "user", "Practitioner/1"),
        knowledge_version="1.0.0",
        grade="likely",
        card="detection",
        outcome="nothing",
        milliseconds=1.0,
    )


def filled(store: Store, number: int = 5) -> Store:
    store.record([record(store, n) for n in range(1, number + 1)])
    return store


def test_what_is_recorded_is_on_the_trail_and_the_chain_holds(store: Store) -> None:
    filled(store)
    store.record([], [Event(9 * DAY, "hospital", "read", "assessments", "done", actor="u", subject="s")])
    verdict = store.verify_audit()
    assert (verdict.rows, verdict.problem) == (6, None)
    rows = list(store.audit_rows("hospital"))
    assert [row["action"] for row in rows] == ["evaluate"] * 5 + ["read"]
    assert "knowledge=1.0.0 grade=likely" in rows[0]["detail"]
    assert list(store.audit_rows("other")) == []


CHANGES = {
    "a field": "UPDATE audit SET outcome = 'shown' WHERE seq = 3",
    "the actor": "UPDATE audit SET actor = NULL WHERE seq = 3",
    "the patient": "UPDATE audit SET subject = 'x' WHERE seq = 3",
    "a row in the middle": "DELETE FROM audit WHERE seq = 3",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_database_refuses_changes_and_what_gets_past_it_shows(store: Store, change: str) -> None:
    filled(store)
    with pytest.raises(Exception, match="append-only"), store.engine.begin() as connection:
        connection.execute(text(change))
    assert store.verify_audit().problem is None
    unguarded(store)
    with store.engine.begin() as connection:
        connection.execute(text(change))
    problem = store.verify_audit().problem
    assert problem is not None
    assert "row 3" in problem


def test_a_cut_off_end_shows_against_a_row_noted_earlier(store: Store) -> None:
    noted = filled(store).verify_audit()
    unguarded(store)
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM audit WHERE seq > 3"))
    assert store.verify_audit().problem is None
    assert "cut off" in str(store.verify_audit((noted.rows, noted.head)).problem)


def unguarded(store: Store) -> None:
    """Somebody with all rights on the database."""
    on = " ON audit" if store.engine.dialect.name == "postgresql" else ""
    names = ("audit_rows", "audit_all") if on else ("audit_update", "audit_delete")
    with store.engine.begin() as connection:
        for name in names:
            connection.execute(text(f"DROP TRIGGER {name}{on}"))


def test_another_key_does_not_verify(database: str) -> None:
    filled(Store(database, "a" * 32)).close()
    assert "another key" in str(Store(database, "b" * 32).verify_audit().problem)


def test_erasure_blanks_the_patient_says_so_and_keeps_the_chain(store: Store) -> None:
    filled(store)
    store.record([record(store, 6, patient="p2")])
    key = store.key("hospital", "patient", "p1")
    assert store.erase("hospital", key, 7 * DAY) == 10
    rows = list(store.audit_rows())
    assert [row["subject"] is None for row in rows] == [True] * 5 + [False, True]
    assert rows[-1]["action"] == "erase"
    assert key not in json.dumps(rows)
    assert store.verify_audit().problem is None
    with store.engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM evaluations")).scalars().all() == ["evaluation-6"]


def test_retention_is_audited_and_per_tenant(store: Store) -> None:
    filled(store)
    store.record([record(store, 1001, "other")])
    store.expire(100 * DAY, {"hospital": 97}, 2190)
    rows = list(store.audit_rows())
    assert (rows[-1]["action"], rows[-1]["detail"]) == ("expire", "days=97 rows=4")
    assert [row["subject"] is None for row in rows] == [True, True, False, False, False, False, True]
    assert store.verify_audit().problem is None
    store.expire(100 * DAY, {"hospital": 97}, 2190)
    assert store.verify_audit().rows == len(rows), "nothing to remove is no event"


def test_many_writers_make_one_chain(database: str) -> None:
    """Stores of their own, as replicas have them, at the same time."""
    stores = [Store(database) for _ in range(4)]
    failed: list[Exception] = []

    def write(number: int) -> None:
        try:
            for n in range(10):
                stores[number].record([record(stores[number], number * 100 + n)])
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    verdict = stores[0].verify_audit()
    assert (verdict.rows, verdict.problem) == (40, None)
    for store in stores:
        store.close()


def test_many_threads_on_a_database_in_memory_make_one_chain() -> None:
    store = Store("sqlite://")
    threads = [
        threading.Thread(target=lambda n=n: [store.record([record(store, n * 100 + m)]) for m in range(10)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert store.verify_audit().rows == 40
    assert store.verify_audit().problem is None


def test_export_is_valid_fhir(store: Store) -> None:
    filled(store, 2)
    store.add_feedback("hospital", "calcinosis-patient-view", [], 0)
    store.expire(5000 * DAY, {}, 10)
    store.erase("hospital", "x", 5001 * DAY)
    store.record([], [Event(9 * DAY, "hospital", "read", "assessments", "done", actor="u", subject="s")])
    store.note_export("hospital", 3, 5002 * DAY)
    lines = [json.loads(line) for line in audit_events(store.audit_rows())]
    assert {line["subtype"][0]["code"] for line in lines} == {"evaluate", "expire", "erase", "read", "export"}
    for line in lines:
        AuditEvent.model_validate(line)
        assert line["agent"][0]["requestor"] is True


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path}/cds.sqlite3"
    monkeypatch.setenv("CDS_DATABASE_URL", url)
    filled(Store(url)).close()
    assert main(["audit", "verify"]) == 0
    noted = capsys.readouterr().out.split("note down ")[1].strip()
    assert main(["erase", "--tenant", "hospital", "--patient", "Patient/p1"]) == 0
    assert "erased: 10 row(s)" in capsys.readouterr().out
    out = tmp_path / "audit.ndjson"
    assert main(["audit", "export", "--out", str(out)]) == 0
    assert len(out.read_text().splitlines()) == 6
    assert main(["audit", "verify", "--expect", noted]) == 0
    assert main(["audit", "verify", "--expect", "3:" + "0" * 64]) == 1
    assert main(["audit", "verify", "--expect", "x"]) == 1
    capsys.readouterr()
    store = Store(url)
    assert [row["action"] for row in store.audit_rows()][-2:] == ["erase", "export"]
    unguarded(store)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE audit SET outcome = 'x' WHERE seq = 1"))
    assert main(["audit", "verify"]) == 1
    assert "broken" in capsys.readouterr().out


def test_a_digest_covers_the_same_text_however_it_is_written() -> None:
    """Rows of before are checked with it too: JSON in ASCII, without blanks."""
    names = ("seq", "at_ms", "tenant", "actor", "action", "what", "outcome", "detail", "commitment", "previous")
    for odd in ("plain", "é", '"', "\\", "/", "<&>", "\x7f", "\x00", "\n", "\u2028", "😀", ""):
        row: dict[str, Any] = dict.fromkeys(names, odd) | {"seq": 7, "at_ms": 1_700_000_000_000, "actor": None}
        told = json.dumps([row[name] for name in names], ensure_ascii=True, separators=(",", ":"))
        assert (
            trail._digest(hmac.new(b"key", digestmod="sha256"), row)
            == hmac.digest(b"key", told.encode(), "sha256").hex()
        )
