"""Blocking work (the store's) in threads of its own, tenants in turn.

What waits is taken in turn: behind a crowd of another tenant a call waits for one of it, not for all. What can be done
together (claims of tokens: one transaction, one write to the disk) is."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

_MOST_PENDING = 64
Asked = TypeVar("Asked")
Result = TypeVar("Result")
Item = TypeVar("Item")


class InTurn(Generic[Item]):
    """A queue between threads: first in, first out for each tenant, and tenants in turn."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, deque[Item]] = OrderedDict()
        self._lock = threading.Lock()
        self._filled: queue.SimpleQueue[bool] = queue.SimpleQueue()
        """one for each item and for each `end`: a thread waits here"""

    def put(self, tenant: str, item: Item) -> None:
        with self._lock:
            self._lines.setdefault(tenant, deque()).append(item)
        self._filled.put(True)

    def end(self) -> None:
        """One `take` more will find nothing."""
        self._filled.put(False)

    def take(self, most: int) -> list[Item]:
        """What waits, as many at most, or the first that comes; nothing at the end. `most` above 1 is for a queue that
        one thread takes from."""
        if not self._filled.get():
            return []
        found = [self._next()]
        while len(found) < most and not self._filled.empty():
            if not self._filled.get():
                self.end()  # once more, for the next time
                break
            found.append(self._next())
        return found

    def _next(self) -> Item:
        with self._lock:
            tenant, line = self._lines.popitem(last=False)
            item = line.popleft()
            if line:
                self._lines[tenant] = line
        return item


class _Call(NamedTuple, Generic[Asked, Result]):
    tenant: str
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Result]
    asked: Asked


class Offload(Generic[Asked, Result]):
    """Threads that do what an event loop asks for. `pending`: calls under way, those included that nobody waits for any
    more."""

    def __init__(
        self, name: str, work: Callable[[Sequence[Asked]], Sequence[Result]], *, threads: int = 1, together: int = 1
    ) -> None:
        """`work` gives a result for each thing asked; it is asked so many things `together` at most, and then there is
        one thread."""
        self._work, self._together = work, together
        self._queue: InTurn[_Call[Asked, Result]] = InTurn()
        self._tenants: Counter[str] = Counter()
        self.pending = 0
        self._threads = [threading.Thread(target=self._serve, name=f"{name}-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    async def call(self, tenant: str, seconds: float, asked: Asked) -> Result:
        """Waits so long; what takes longer goes on without us. Raises TimeoutError, also when the tenant has asked for
        too much that is not done, and whatever the work does."""
        if self._tenants[tenant] >= _MOST_PENDING:
            raise TimeoutError
        self._tenants[tenant] += 1
        self.pending += 1
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        timer = loop.call_later(seconds, _too_late, future)
        self._queue.put(tenant, _Call(tenant, loop, future, asked))
        try:
            return await future
        finally:
            timer.cancel()

    def close(self) -> None:
        """Does what is still asked for, then ends."""
        for _ in self._threads:
            self._queue.end()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        """Handing over by hand costs a third of what an executor, its future and the waiting for both do."""
        while calls := self._queue.take(self._together):
            found: Sequence[Result] = ()
            failed: BaseException | None = None
            try:
                found = self._work([call.asked for call in calls])
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is for the caller
                failed = error
            try:
                calls[0].loop.call_soon_threadsafe(self._done, calls, found, failed)
            except RuntimeError:  # the loop has ended meanwhile: nobody waits
                self._count(calls)

    def _done(
        self, calls: Sequence[_Call[Asked, Result]], found: Sequence[Result], failed: BaseException | None
    ) -> None:
        self._count(calls)
        for number, call in enumerate(calls):
            if call.future.done():
                continue  # nobody waits for it any more
            if failed is not None:
                call.future.set_exception(failed)
            else:
                call.future.set_result(found[number])

    def _count(self, calls: Sequence[_Call[Asked, Result]]) -> None:
        self.pending -= len(calls)
        for call in calls:
            self._tenants[call.tenant] -= 1
            if not self._tenants[call.tenant]:
                del self._tenants[call.tenant]


def _too_late(future: asyncio.Future[Result]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
