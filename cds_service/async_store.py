"""The store as the application sees it: off the event loop, bounded, and failing open where no promise was made.

Cards that are shown are committed before they are sent, so that feedback always finds them; silent evaluations are
written in batches by a thread of their own, a quarter of a second later: a process that is killed loses those. Feedback
is acknowledged only after it is committed.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cds_service.audit.events import Event
from cds_service.errors import Overloaded
from cds_service.feedback import FeedbackItem
from cds_service.metrics import Metrics
from cds_service.offload import Offload
from cds_service.store import Claim, EvaluationRecord, Shown, StoreError, TokenUse
from cds_service.tenants import NOBODY

if TYPE_CHECKING:
    from cds_service.store import Store

_LOG = logging.getLogger("cds_service")
_THREADS = 4
_TOGETHER = 16
"""claims of tokens that are committed together, at most"""
_READ_SHARE, _MOST_READ_SECONDS = 1 / 8, 2.0
"""how much of a request's deadline may go to reading what was shown before: 250 ms of the usual 2 s"""
_WRITE_SECONDS = 1.0
_FEEDBACK_SECONDS = 5.0
_QUEUE = 10_000
_BATCH = 500
_RETRY_SECONDS = 1.0
_GATHER_SECONDS = 0.25
"""how long silent evaluations are gathered before they are written together, in one transaction: a process that is
killed loses those of so long (docs/settings.md)"""
REPEAT_MS = 30_000
Result = TypeVar("Result")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class AsyncStore:
    """Asynchronous calls to one Store. `failures` of it are counted, and logged without any data."""

    def __init__(self, store: Store, metrics: Metrics, deadline: float) -> None:
        """`deadline`: seconds that a whole request may take."""
        self.store, self._metrics = store, metrics
        self._read_seconds = min(deadline * _READ_SHARE, _MOST_READ_SECONDS)
        self._calls: Offload[Callable[[], Any], Any] = Offload("store", lambda asked: [asked[0]()], threads=_THREADS)
        self._claims = Offload("store-claims", self._claim, together=_TOGETHER)
        self._queue: queue.SimpleQueue[EvaluationRecord | Event | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()

    async def shown_before(self, tenant: str, patient_key: str) -> list[Shown]:
        """Earlier cards; none when the store does not answer in time (nothing is held back then)."""
        try:
            return await self._call(tenant, self._read_seconds, lambda: self.store.shown_before(tenant, patient_key))
        except (StoreError, TimeoutError):
            self._failed("history")
            return []

    async def record(self, record: EvaluationRecord) -> None:
        """Keeps an evaluation: committed on return when it has cards, soon otherwise. Never raises."""
        if not record.cards:
            self._later(record)
            return
        try:
            await self._call(record.tenant, _WRITE_SECONDS, lambda: self.store.record([record]))
        except TimeoutError:
            self._failed("record")  # it goes on without us and may still be written
        except StoreError:
            self._failed("record")
            self._later(record)

    def note(self, event: Event) -> None:
        """Puts an event on the audit trail, soon. Never raises."""
        self._later(event)

    async def add_feedback(self, tenant: str, service: str, items: Sequence[FeedbackItem]) -> int:
        """Commits feedback; how many items were new. Overloaded when that was not possible: the client may repeat."""
        try:
            return await self._call(
                tenant, _FEEDBACK_SECONDS, lambda: self.store.add_feedback(tenant, service, items, now_ms())
            )
        except (StoreError, TimeoutError):
            self._failed("feedback")
            raise Overloaded("feedback could not be stored; try again") from None

    async def use_token(self, tenant: str, jti: str, request_hash: str, expires: float) -> TokenUse | None:
        """Claims a token in the shared store; None when the store does not answer."""
        try:
            claim = Claim(tenant, jti, request_hash, int(expires * 1000))
            return await self._claims.call(tenant, _WRITE_SECONDS, claim)
        except (StoreError, TimeoutError):
            self._failed("token")
            return None

    def _claim(self, claims: Sequence[Claim]) -> Sequence[TokenUse]:
        return self.store.use_tokens(claims, now_ms(), REPEAT_MS)

    async def trouble(self) -> str | None:
        """Why nothing can be kept now, in words that may be shown; None when all is well."""
        try:
            await self._call(NOBODY, _WRITE_SECONDS, self.store.ping)
        except StoreError as error:
            return str(error)
        except TimeoutError:
            return "the database does not answer in time"
        return None

    async def expire(self, retention_days: dict[str, int], default_days: int) -> None:
        try:
            await self._call(NOBODY, 60, lambda: self.store.expire(now_ms(), retention_days, default_days))
        except (StoreError, TimeoutError):
            self._failed("expire")

    @property
    def pending(self) -> int:
        """Calls that are under way, those included that nobody waits for any more."""
        return self._calls.pending + self._claims.pending

    @property
    def waiting(self) -> int:
        """Records that are not written yet."""
        return self._queue.qsize()

    def close(self) -> None:
        """Writes what is still queued, then lets go of the database."""
        self._queue.put(None)
        self._closing.set()
        self._writer.join(10)
        self._calls.close()
        self._claims.close()
        self.store.close()

    async def _call(self, tenant: str, seconds: float, work: Callable[[], Result]) -> Result:
        return cast(Result, await self._calls.call(tenant, seconds, work))

    def _later(self, item: EvaluationRecord | Event) -> None:
        if self._queue.qsize() < _QUEUE:
            self._queue.put(item)
        else:
            self._failed("queue")

    def _write(self) -> None:
        """Writes in batches. While the database is away they are kept, as many as the queue holds."""
        ended = False
        kept: list[EvaluationRecord | Event] = []
        while not ended:
            found = [self._queue.get()] if not kept else self._waited()
            if None not in found and self._queue.qsize() < _BATCH:
                self._closing.wait(_GATHER_SECONDS)
            while len(found) + len(kept) < _BATCH and not self._queue.empty():
                found.append(self._queue.get_nowait())
            ended = None in found
            kept = self._flushed([*kept, *(item for item in found if item is not None)])
        for _ in kept:
            self._failed("lost")

    def _waited(self) -> list[EvaluationRecord | Event | None]:
        try:
            return [self._queue.get(timeout=_RETRY_SECONDS)]
        except queue.Empty:
            return []

    def _flushed(self, items: list[EvaluationRecord | Event]) -> list[EvaluationRecord | Event]:
        """What could not be written because the database is away. What a database that answers refuses is lost."""
        try:
            self._put(items)
        except StoreError:
            self._failed("record")
            if not self._alive():
                return items
            for item in items:
                try:
                    self._put([item])
                except StoreError:
                    self._failed("lost")
        return []

    def _put(self, items: list[EvaluationRecord | Event]) -> None:
        if items:
            self.store.record(
                [item for item in items if isinstance(item, EvaluationRecord)],
                [item for item in items if isinstance(item, Event)],
            )

    def _alive(self) -> bool:
        """Whether the database takes anything at all; one that is read-only or full may do so later."""
        try:
            self.store.ping()
        except StoreError:
            return False
        return True

    def _failed(self, what: str) -> None:
        self._metrics.store_failed(what)
        _LOG.error("the store failed", extra={"reason": what})
