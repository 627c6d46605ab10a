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
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cds_service.errors import Overloaded
from cds_service.feedback import FeedbackItem
from cds_service.metrics import Metrics
from cds_service.store import EvaluationRecord, Shown, Store, StoreError, TokenUse

_LOG = logging.getLogger("cds_service")
_THREADS = 4
_MAX_PENDING = 64
_READ_SECONDS = 0.25
_WRITE_SECONDS = 1.0
_FEEDBACK_SECONDS = 5.0
_QUEUE = 10_000
_BATCH = 500
REPEAT_MS = 30_000
Result = TypeVar("Result")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Memory:
    """Asynchronous calls to one Store. `failures` of it are counted, and logged without any data."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self.store, self._metrics = store, metrics
        self._threads = ThreadPoolExecutor(_THREADS, "store")
        self._pending = 0
        self._queue: queue.Queue[EvaluationRecord | None] = queue.Queue(_QUEUE)
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()

    async def shown_before(self, tenant: str, patient_key: str) -> list[Shown]:
        """Earlier cards; none when the store does not answer in time (nothing is held back then)."""
        try:
            return await self._call(_READ_SECONDS, lambda: self.store.shown_before(tenant, patient_key))
        except (StoreError, TimeoutError):
            self._failed("history")
            return []

    async def record(self, record: EvaluationRecord) -> None:
        """Keeps an evaluation: committed on return when it has cards, soon otherwise. Never raises."""
        if not record.cards:
            try:
                self._queue.put_nowait(record)
            except queue.Full:
                self._failed("queue")
            return
        try:
            await self._call(_WRITE_SECONDS, lambda: self.store.record([record]))
        except (StoreError, TimeoutError):
            self._failed("record")

    async def add_feedback(self, tenant: str, service: str, items: Sequence[FeedbackItem]) -> int:
        """Commits feedback; how many items were new. Overloaded when that was not possible: the client may repeat."""
        try:
            return await self._call(
                _FEEDBACK_SECONDS, lambda: self.store.add_feedback(tenant, service, items, now_ms())
            )
        except (StoreError, TimeoutError):
            self._failed("feedback")
            raise Overloaded("feedback could not be stored; try again") from None

    async def use_token(self, tenant: str, jti: str, request_hash: str, expires: float) -> TokenUse:
        """Claims a token in the shared store. Without the store the process's own memory has to do."""
        try:
            return await self._call(
                _WRITE_SECONDS,
                lambda: self.store.use_token(tenant, jti, request_hash, now_ms(), int(expires * 1000), REPEAT_MS),
            )
        except (StoreError, TimeoutError):
            self._failed("token")
            return "first"

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

    def close(self) -> None:
        """Writes what is still queued, then lets go of the database."""
        self._queue.put(None)
        self._writer.join(10)
        self._threads.shutdown(wait=True)
        self.store.close()

    async def _call(self, seconds: float, work: Callable[[], Result]) -> Result:
        """Runs in a thread, waits so long; what takes longer goes on without us."""
        if self._pending >= _MAX_PENDING:
            raise TimeoutError
        self._pending += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(self._done)
        return await asyncio.wait_for(asyncio.shield(future), seconds)

    def _done(self, future: asyncio.Future[Result]) -> None:
        self._pending -= 1
        if not future.cancelled():
            future.exception()  # seen, so that a late failure is not reported as never retrieved

    def _write(self) -> None:
        ended = False
        while not ended:
            found = [self._queue.get()]
            while len(found) < _BATCH and not self._queue.empty():
                found.append(self._queue.get_nowait())
            ended = None in found
            records = [record for record in found if record is not None]
            try:
                self.store.record(records)
            except StoreError:
                self._failed("record")

    def _failed(self, what: str) -> None:
        self._metrics.store_failed(what)
        _LOG.error("the store failed", extra={"reason": what})
