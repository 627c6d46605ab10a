"""Appending to the chain, and checking it. One writer at a time, whatever the number of processes.

A row's digest covers its fields and the digest before it, under a key that need not lie in the database. The patient
enters it only as a salted commitment: an erasure blanks the patient's hash and the salt, and the chain still holds.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Dialect, select, text, update

from cds_service.audit.events import Event, Verdict
from cds_service.audit.table import audit
from cds_service.prepared_statements import Prepared

FIRST = "0" * 64
"""stands before the first row."""
_LOCK = 4_260_911_308
"""key of PostgreSQL's advisory lock of the chain."""
_BATCH = 1000


def chain_key(key: bytes) -> bytes:
    """The chain's own key, so that the key of the patient hashes is used for one purpose only."""
    return hmac.digest(key, b"audit-chain", "sha256")


_ADVISORY = text(f"SELECT pg_advisory_xact_lock({_LOCK})")
_WRITE_LOCK = update(audit).where(audit.c.seq < 0).values(subject=None)
"""takes SQLite's one write lock before the last row is read."""
_LAST = select(audit.c.seq, audit.c.digest).order_by(audit.c.seq.desc()).limit(1)
_TOLD = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
_PLAIN = msgspec.json.Encoder().encode
_PLAIN_SIGNS = bytes(code for code in range(0x20, 0x7F) if code != ord("\\"))
"""those that are their own text in JSON; a search for any other takes twenty times as long as leaving these out."""


class Trail:
    """The end of one database's chain."""

    def __init__(self, dialect: Dialect, key: bytes) -> None:
        """`key`: of the patient hashes; the chain has its own, derived from it."""
        self.key = chain_key(key)
        self._keyed = hmac.new(self.key, digestmod="sha256")
        self._lock = Prepared(_ADVISORY if dialect.name == "postgresql" else _WRITE_LOCK, dialect)
        self._last, self._append = Prepared(_LAST, dialect), Prepared(audit.insert(), dialect)

    def append(self, cursor: Any, events: Sequence[Event]) -> None:
        """Adds rows at the end, in the transaction of the driver's cursor; others wait until it ends."""
        if not events:
            return
        self._lock.run(cursor)
        self._last.run(cursor)
        seq, previous = cursor.fetchone() or (0, FIRST)
        rows: list[dict[str, Any]] = []
        for event in events:
            seq += 1
            salt = secrets.token_hex(16) if event.subject else None
            row = {
                "seq": seq,
                "at_ms": event.at_ms,
                "tenant": event.tenant,
                "actor": event.actor,
                "action": event.action,
                "what": event.what[:64],
                "outcome": event.outcome[:16],
                "detail": event.detail,
                "commitment": _commitment(event.subject, salt),
                "previous": previous,
            }
            previous = _digest(self._keyed, row)
            rows.append(row | {"digest": previous, "subject": event.subject, "salt": salt})
        self._append.run_all(cursor, rows)


def verify(connection: Connection, key: bytes, expected: tuple[int, str] | None = None) -> Verdict:
    """Checks every row. `expected` is a row (number and digest) noted earlier: it shows that no end was cut off."""
    seq, previous = 0, FIRST
    met, keyed = expected is None, hmac.new(key, digestmod="sha256")
    for row in rows_of(connection):
        seq += 1
        if row["seq"] != seq:
            return Verdict(seq - 1, previous, f"row {seq} is missing")
        if row["previous"] != previous or not hmac.compare_digest(row["digest"], _digest(keyed, row)):
            return Verdict(seq - 1, previous, f"row {seq} was changed, or another key was used")
        if row["subject"] is not None and row["commitment"] != _commitment(row["subject"], row["salt"]):
            return Verdict(seq - 1, previous, f"the patient of row {seq} was changed")
        previous = row["digest"]
        met = met or (seq, previous) == expected
    return Verdict(
        seq, previous, None if met else "the row noted earlier is not there: an end was cut off or rewritten"
    )


def forget(connection: Connection, tenant: str, *, subject: str | None = None, before_ms: int | None = None) -> int:
    """Blanks the patient in the rows of one patient, or of everybody before a moment; how many rows."""
    wanted = audit.c.tenant == tenant
    wanted &= audit.c.subject.is_not(None)
    if subject is not None:
        wanted &= audit.c.subject == subject
    if before_ms is not None:
        wanted &= audit.c.at_ms < before_ms
    return connection.execute(update(audit).where(wanted).values(subject=None, salt=None)).rowcount


def rows_of(connection: Connection, tenant: str | None = None) -> Iterator[dict[str, Any]]:
    """All rows in order, a thousand at a time."""
    after = 0
    while True:
        query = select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(_BATCH)
        if tenant is not None:
            query = query.where(audit.c.tenant == tenant)
        found = connection.execute(query).mappings().all()
        for row in found:
            yield dict(row)
        if len(found) < _BATCH:
            return
        after = found[-1]["seq"]


def _commitment(subject: str | None, salt: str | None) -> str:
    return hashlib.sha256(f"{salt or ''}\0{subject or ''}".encode()).hexdigest()


def _digest(keyed: hmac.HMAC, row: dict[str, Any]) -> str:
    names = ("seq", "at_ms", "tenant", "actor", "action", "what", "outcome", "detail", "commitment", "previous")
    fields = [row[name] for name in names]
    told = _PLAIN(fields)  # four times as fast, and the same text where no sign is odd
    if told.translate(None, _PLAIN_SIGNS):
        told = _TOLD(fields).encode()
    found = keyed.copy()
    found.update(told)
    return found.hexdigest()
