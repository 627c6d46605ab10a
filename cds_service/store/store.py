"""The store: SQLite by default, PostgreSQL by URL. Every write is committed when the method returns."""

from __future__ import annotations

import hashlib
import hmac
import secrets as random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from cds_service.audit.events import Event, Verdict
from cds_service.audit.table import audit
from cds_service.audit.trail import Trail, forget, rows_of, verify
from cds_service.feedback import FeedbackItem
from cds_service.prepared_statements import Prepared
from cds_service.store.engine import insert_of, open_engine, reported
from cds_service.store.history import History
from cds_service.store.migrate import migrate
from cds_service.store.records import CardRecord, Claim, EvaluationRecord, Shown, StoreError, TokenUse
from cds_service.store.rows import card_row, evaluated, evaluation_row, feedback_row, offered_rows
from cds_service.store.tables import cards, evaluations, feedback, secrets, sessions, suggestions, tokens

Result = TypeVar("Result")
_DAY_MS = 86_400_000
_KEY = "pseudonym"

_PROBE = "probe"
_ANSWERS = text("SELECT false")
_READ_ONLY = text("SELECT current_setting('transaction_read_only') = 'on'")
"""true on a standby too."""
_USER, _USERS = "user", 1024
"""clinicians open chart after chart: so many of their keys are kept"""


class Store:
    """Blocking; call it from a thread (see `cds_service.async_store`). Methods raise StoreError."""

    def __init__(self, url: str, pseudonym_key: str | None = None) -> None:
        self.engine = open_engine(url)
        insert = self._insert = insert_of(self.engine.dialect.name)
        self._claim = Prepared(insert(tokens).on_conflict_do_nothing(), self.engine.dialect)
        self._add_evaluations, self._add_cards, self._add_suggestions = (
            Prepared(table.insert(), self.engine.dialect) for table in (evaluations, cards, suggestions)
        )
        self._driver_error: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        self._history = History(self.engine.dialect)
        # SQLite has one writer at a time: our own threads wait for one another in line, where the database would let
        # them sleep and try again, the longer the more of them there are
        self._one_writer = self.engine.dialect.name == "sqlite"
        self._alone: AbstractContextManager[Any] = threading.RLock() if self._one_writer else nullcontext()
        self._writer: Any = None
        self._doubted = True
        """whether it can be written: nothing was yet, or the last time failed"""
        try:
            migrate(self.engine)
            self._key = (pseudonym_key or self._own_key()).encode()
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(f"CDS_DATABASE_URL: the database can't be opened: {type(error).__name__}") from None
        self._keyed = hmac.new(self._key, digestmod="sha256")
        self._of_user = lru_cache(_USERS)(self._hashed)
        self._trail = Trail(self.engine.dialect, self._key)

    def key(self, tenant: str, *parts: str) -> str:
        """A keyed hash: the same thing gives the same key within a tenant, and nobody can go back from it. `parts`:
        what it is ("patient", "user") and its id."""
        return self._of_user(tenant, *parts) if parts[0] == _USER else self._hashed(tenant, *parts)

    def _hashed(self, tenant: str, *parts: str) -> str:
        found = self._keyed.copy()  # setting up the key takes two thirds of the time
        found.update("\0".join((tenant, *parts)).encode())
        return found.hexdigest()

    def record(self, records: Iterable[EvaluationRecord], events: Iterable[Event] = ()) -> None:
        """Writes evaluations with their cards and suggestions, and all on the audit trail; all or none."""
        rows = list(records)
        trail = [*map(evaluated, rows), *events]
        shown = [(record, card) for record in rows for card in record.cards]
        self._at_once(lambda cursor: self._put(cursor, rows, shown, trail))

    def _put(
        self,
        cursor: Any,
        rows: Sequence[EvaluationRecord],
        shown: Sequence[tuple[EvaluationRecord, CardRecord]],
        trail: Sequence[Event],
    ) -> None:
        self._add_evaluations.run_all(cursor, map(evaluation_row, rows))
        if shown:
            self._add_cards.run_all(cursor, (card_row(record, card) for record, card in shown))
            self._add_suggestions.run_all(cursor, (row for record, card in shown for row in offered_rows(record, card)))
        self._trail.append(cursor, trail)

    def add_feedback(self, tenant: str, service: str, items: Sequence[FeedbackItem], now_ms: int) -> int:
        """Keeps each item once; how many were new. An unknown card is kept as unmatched."""
        if not items:
            return 0
        wanted = {item.card for item in items}
        with self.writing() as connection:
            known = set(
                connection.scalars(select(cards.c.uuid).where(cards.c.tenant == tenant, cards.c.uuid.in_(wanted)))
            )
            rows = [feedback_row(tenant, service, item, item.card in known, now_ms) for item in items]
            new = 0
            for row in rows:
                statement = self._insert(feedback).values(row).on_conflict_do_nothing().returning(feedback.c.id)
                new += connection.execute(statement).first() is not None
            detail = f"items={len(rows)} new={new}"
            self._trail.append(
                _cursor(connection), [Event(now_ms, tenant, "feedback", service, "stored", detail=detail)]
            )
            return new

    def shown_before(self, tenant: str, patient_key: str) -> list[Shown]:
        """The cards this patient's clinicians saw, newest first, each with the latest verdict about it."""
        with self._reading() as cursor:
            return self._history.read(cursor, tenant, patient_key)

    def use_tokens(self, claims: Sequence[Claim], now_ms: int, repeat_ms: int) -> list[TokenUse]:
        """Claims token ids, together. A second claim with the same request within `repeat_ms` is a gateway's repeat;
        any other is a reuse."""
        rows = [
            {
                "tenant": claim.tenant,
                "jti_hash": hashlib.sha256(claim.jti.encode()).hexdigest(),
                "request_hash": claim.request_hash,
                "first_ms": now_ms,
                "expires_ms": claim.expires_ms,
            }
            for claim in claims
        ]
        first = self._at_once(lambda cursor: self._claimed(cursor, rows))
        return ["first" if is_first else self._again(row, repeat_ms) for row, is_first in zip(rows, first, strict=True)]

    def _claimed(self, cursor: Any, rows: Sequence[dict[str, Any]]) -> list[bool]:
        """Whether each claim is the first. Every process claims in the same order: none of two waits for the other."""
        first = [False] * len(rows)
        for number in sorted(range(len(rows)), key=lambda n: (rows[n]["tenant"], rows[n]["jti_hash"], n)):
            self._claim.run(cursor, rows[number])
            first[number] = cursor.rowcount == 1
        return first

    def _again(self, row: dict[str, Any], repeat_ms: int) -> TokenUse:
        with reported(), self.engine.connect() as connection:
            before = connection.execute(
                select(tokens.c.request_hash, tokens.c.first_ms).where(
                    tokens.c.tenant == row["tenant"], tokens.c.jti_hash == row["jti_hash"]
                )
            ).one()
        same = hmac.compare_digest(before.request_hash, row["request_hash"])
        return "repeat" if same and row["first_ms"] - before.first_ms <= repeat_ms else "reused"

    def expire(self, now_ms: int, retention_days: dict[str, int], default_days: int) -> None:
        """Removes used-up tokens, and evaluations and feedback older than each tenant's retention; blanks the patients
        of the audit trail that are older. What was removed is put on the trail."""
        with self.writing() as connection:
            connection.execute(delete(tokens).where(tokens.c.expires_ms < now_ms))
            connection.execute(delete(sessions).where((sessions.c.ends_ms < now_ms) | (sessions.c.idle_ms < now_ms)))
            kept = set(connection.scalars(select(evaluations.c.tenant).distinct()))
            kept |= set(connection.scalars(select(feedback.c.tenant).distinct()))
            kept |= set(connection.scalars(select(audit.c.tenant).where(audit.c.subject.is_not(None)).distinct()))
            events = []
            for tenant in sorted(kept):
                days = retention_days.get(tenant, default_days)
                before = now_ms - days * _DAY_MS
                old = (evaluations.c.tenant == tenant) & (evaluations.c.at_ms < before)
                said = (feedback.c.tenant == tenant) & (feedback.c.received_ms < before)
                number = connection.execute(delete(evaluations).where(old)).rowcount
                number += connection.execute(delete(feedback).where(said)).rowcount
                number += forget(connection, tenant, before_ms=before)
                if number:
                    detail = f"days={days} rows={number}"
                    events.append(Event(now_ms, tenant, "expire", "retention", "done", detail=detail))
            self._trail.append(_cursor(connection), events)

    def erase(self, tenant: str, patient_key: str, now_ms: int) -> int:
        """Removes everything kept about one patient of a tenant and blanks the patient in the audit trail, which says
        that and when; how many rows were removed or blanked."""
        with self.writing() as connection:
            theirs = select(cards.c.uuid).where(cards.c.tenant == tenant, cards.c.patient_key == patient_key)
            said = (feedback.c.tenant == tenant) & feedback.c.card.in_(theirs)
            seen = (evaluations.c.tenant == tenant) & (evaluations.c.patient_key == patient_key)
            number = connection.execute(delete(feedback).where(said)).rowcount
            number += connection.execute(delete(evaluations).where(seen)).rowcount
            talked = (sessions.c.tenant == tenant) & (sessions.c.patient_key == patient_key)
            number += connection.execute(delete(sessions).where(talked)).rowcount
            number += forget(connection, tenant, subject=patient_key)
            event = Event(now_ms, tenant, "erase", "patient", "done", detail=f"rows={number}")
            self._trail.append(_cursor(connection), [event])
        self._empty_the_log()
        return number

    def _empty_the_log(self) -> None:
        """SQLite holds what was there before in its write-ahead file until that is emptied; PostgreSQL and its copies
        are the operator's (docs/settings.md)."""
        if self.engine.dialect.name == "sqlite":
            with reported(), self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def verify_audit(self, expected: tuple[int, str] | None = None) -> Verdict:
        """Checks the whole audit trail; `expected` is a row that was noted earlier."""
        with reported(), self.engine.connect() as connection:
            return verify(connection, self._trail.key, expected)

    def audit_rows(self, tenant: str | None = None) -> Iterator[dict[str, Any]]:
        """The audit trail in order."""
        with reported(), self.engine.connect() as connection:
            yield from rows_of(connection, tenant)

    def note_export(self, tenant: str | None, number: int, now_ms: int) -> None:
        event = Event(now_ms, tenant or "-", "export", "audit", "done", detail=f"rows={number}")
        self.record([], [event])

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed at the end."""
        with self._alone, reported(self._driver_error):
            try:
                with self.engine.begin() as connection:
                    yield connection
            except BaseException:
                self._doubted = True
                raise

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        """A cursor of the driver, for prepared statements that change nothing."""
        with reported(self._driver_error):
            connection = self.engine.raw_connection()
            try:
                yield connection.cursor()
            finally:
                connection.close()

    def _at_once(self, work: Callable[[Any], Result]) -> Result:
        """One transaction of prepared statements on a cursor of the driver, committed at the end. Where there is one
        writer, its connection is kept while all goes well: to fetch it costs more than such a statement."""
        with self._alone, reported(self._driver_error):
            connection, self._writer = self._writer or self.engine.raw_connection(), None
            try:
                found = work(connection.cursor())
                connection.commit()
                if self._one_writer:
                    self._writer = connection
            except BaseException:
                self._doubted = True
                raise
            finally:
                if self._writer is None:
                    connection.close()  # goes back to the pool, which undoes what was not committed
            return found

    def ping(self) -> None:
        """Raises StoreError when the database does not answer or can't be written. A row is written for that, and
        removed at once, only where it is in doubt."""
        with reported(), self.engine.connect() as connection:
            read_only = bool(connection.scalar(_ANSWERS if self._one_writer else _READ_ONLY))
        if (read_only or self._doubted) and not self._one_writer:
            self.engine.dispose()  # sessions keep what held when they began, and the server of then
        if read_only:
            raise StoreError("the database is read-only")
        if self._doubted:
            self._try_to_write()

    def _try_to_write(self) -> None:
        try:
            with self.writing() as connection:
                connection.execute(self._insert(secrets).values(name=_PROBE, value="").on_conflict_do_nothing())
                connection.execute(delete(secrets).where(secrets.c.name == _PROBE))
        except StoreError:
            raise StoreError("the database can't be written") from None
        self._doubted = False

    @property
    def connections(self) -> tuple[int, int]:
        """How many connections are open, and how many of them are at work; (0, 0) where they are not pooled."""
        pool = self.engine.pool
        if not isinstance(pool, QueuePool):
            return 0, 0
        at_work = pool.checkedout() - (self._writer is not None)
        return pool.checkedin() + pool.checkedout(), at_work

    def close(self) -> None:
        with self._alone:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
        self.engine.dispose()

    def _own_key(self) -> str:
        with self.engine.begin() as connection:
            row = {"name": _KEY, "value": random.token_hex(32)}
            connection.execute(self._insert(secrets).values(row).on_conflict_do_nothing())
        with self.engine.connect() as connection:
            return str(connection.scalars(select(secrets.c.value).where(secrets.c.name == _KEY)).one())


def _cursor(connection: Connection) -> Any:
    """The driver's cursor in the same transaction."""
    return connection.connection.cursor()
