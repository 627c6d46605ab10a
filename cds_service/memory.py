"""The store as the application sees it: off the event loop, bounded, and failing open where no promise was made.

Cards that are shown are committed before they are sent, so that feedback always finds them; silent evaluations are
written in batches by a thread of their own. Feedback is acknowledged only after it is committed.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from cds_service.audit.trail import Event
from cds_service.errors import Overloaded
from cds_service.feedback import FeedbackItem
from cds_service.metrics import Metrics
from cds_service.store import EvaluationRecord, Shown, Store, StoreError, TokenUse

_LOG = logging.getLogger("cds_service")
_THREADS = 4
_MAX_PENDING = 64
_READ_SHARE, _MOST_READ_SECONDS = 1 / 8, 2.0
"""how much of a request's deadline may go to reading what was shown before: 250 ms of the usual 2 s"""
_WRITE_SECONDS = 1.0
_FEEDBACK_SECONDS = 5.0
_QUEUE = 10_000
_BATCH = 500
_RETRY_SECONDS = 1.0
_GATHER_SECONDS = 0.02
"""how long silent evaluations are gathered before they are written together, in one transaction."""
REPEAT_MS = 30_000
Result = TypeVar("Result")


_Work = tuple[asyncio.AbstractEventLoop, asyncio.Future[Any], Callable[[], Any]]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Memory:
    """Asynchronous calls to one Store. `failures` of it are counted, and logged without any data."""

    def __init__(self, store: Store, metrics: Metrics, deadline: float) -> None:
        """`deadline`: seconds that a whole request may take."""
        self.store, self._metrics = store, metrics
        self._read_seconds = min(deadline * _READ_SHARE, _MOST_READ_SECONDS)
        self._work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._serve, name=f"store-{n}", daemon=True) for n in range(_THREADS)]
        for thread in self._threads:
            thread.start()
        self._pending = 0
        self._queue: queue.SimpleQueue[EvaluationRecord | Event | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()

    async def shown_before(self, tenant: str, patient_key: str) -> list[Shown]:
        """Earlier cards; none when the store does not answer in time (nothing is held back then)."""
        try:
            return await self._call(self._read_seconds, lambda: self.store.shown_before(tenant, patient_key))
        except (StoreError, TimeoutError):
            self._failed("history")
            return []

    async def record(self, record: EvaluationRecord) -> None:
        """Keeps an evaluation: committed on return when it has cards, soon otherwise. Never raises."""
        if not record.cards:
            self._later(record)
            return
        try:
            await self._call(_WRITE_SECONDS, lambda: self.store.record([record]))
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
                _FEEDBACK_SECONDS, lambda: self.store.add_feedback(tenant, service, items, now_ms())
            )
        except (StoreError, TimeoutError):
            self._failed("feedback")
            raise Overloaded("feedback could not be stored; try again") from None

    async def use_token(self, tenant: str, jti: str, request_hash: str, expires: float) -> TokenUse | None:
        """Claims a token in the shared store; None when the store does not answer."""
        try:
            return await self._call(
                _WRITE_SECONDS,
                lambda: self.store.use_token(tenant, jti, request_hash, now_ms(), int(expires * 1000), REPEAT_MS),
            )
        except (StoreError, TimeoutError):
            self._failed("token")
            return None

    async def ready(self) -> bool:
        try:
            await self._call(_WRITE_SECONDS, self.store.ping)
        except (StoreError, TimeoutError):
            return False
        return True

    async def expire(self, retention_days: dict[str, int], default_days: int) -> None:
        try:
            await self._call(60, lambda: self.store.expire(now_ms(), retention_days, default_days))
        except (StoreError, TimeoutError):
            self._failed("expire")

    @property
    def pending(self) -> int:
        """Calls that are under way, those included that nobody waits for any more."""
        return self._pending

    @property
    def waiting(self) -> int:
        """Records that are not written yet."""
        return self._queue.qsize()

    def close(self) -> None:
        """Writes what is still queued, then lets go of the database."""
        self._queue.put(None)
        self._writer.join(10)
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()
        self.store.close()

    async def _call(self, seconds: float, work: Callable[[], Result]) -> Result:
        """Runs in a thread, waits so long; what takes longer goes on without us."""
        if self._pending >= _MAX_PENDING:
            raise TimeoutError
        self._pending += 1
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        timer = loop.call_later(seconds, _too_late, future)
        self._work.put((loop, future, work))
        try:
            return await future
        finally:
            timer.cancel()

    def _serve(self) -> None:
        """One thread: does what is asked of it, one call after another. Handing over by hand costs a third of what an
        executor, its future and the waiting for both do."""
        while (asked := self._work.get()) is not None:
            loop, future, work = asked
            found: object = None
            failed: BaseException | None = None
            try:
                found = work()
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is for the caller
                failed = error
            try:
                loop.call_soon_threadsafe(self._done, future, found, failed)
            except RuntimeError:  # the loop has ended meanwhile: nobody waits
                self._pending -= 1

    def _done(self, future: asyncio.Future[Any], found: object, failed: BaseException | None) -> None:
        self._pending -= 1
        if future.done():
            return  # nobody waits for it any more
        if failed is not None:
            future.set_exception(failed)
        else:
            future.set_result(found)

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
            if None not in found:
                time.sleep(_GATHER_SECONDS)
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
        try:
            self.store.ping()
        except StoreError:
            return False
        return True

    def _failed(self, what: str) -> None:
        self._metrics.store_failed(what)
        _LOG.error("the store failed", extra={"reason": what})


def _too_late(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
