"""Work that occupies the processor: tenants take turns at it, and heavy work does not hold up light work.

Light work runs on the event loop, where nothing is handed over, one piece at a time (`loop_turns.py`). Heavy
work (a chart of many resources, a large body) runs in one thread, so that the loop goes on answering the others
meanwhile. Nobody waits for a turn longer than an answer would be worth, and for heavy work not behind a crowd of its
own: then the caller is told to come back.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from cds_service.errors import Overloaded
from cds_service.loop_turns import LoopTurns

HEAVY_BYTES = 256 * 1024
HEAVY_RESOURCES = 250
_MOST_HEAVY = 8
Result = TypeVar("Result")


class Turns:
    """One at a time, tenants in turn: who waits behind a crowd of another tenant waits for one of it, not for all."""

    def __init__(self, most: int | None = None) -> None:
        """`most`: so many may wait of one tenant."""
        self._most = most
        self._busy = False
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def of(self, tenant: str, seconds: float | None = None) -> AsyncIterator[None]:
        """A turn of the tenant, waited for as long at most. Raises Overloaded."""
        if self._busy:
            waiting = self._waiting.setdefault(tenant, deque())
            if self._most is not None and len(waiting) >= self._most:
                raise Overloaded("too much to do; try again")
            turn = asyncio.get_running_loop().create_future()
            waiting.append(turn)
            try:
                await asyncio.wait_for(turn, seconds)
            except TimeoutError:
                raise Overloaded("too much to do; try again") from None
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._next()  # the turn was ours already: it goes on to another
                raise
        self._busy = True
        try:
            yield
        finally:
            self._next()

    def _next(self) -> None:
        """Hands the turn to the tenant that waited longest for one; its other callers go behind the other tenants."""
        while self._waiting:
            tenant, waiting = self._waiting.popitem(last=False)
            while waiting and waiting[0].done():
                waiting.popleft()
            if not waiting:
                continue
            turn = waiting.popleft()
            if waiting:
                self._waiting[tenant] = waiting
            turn.set_result(None)
            return
        self._busy = False


class Scheduler:
    """The event loop for light work, a thread for heavy work. `seconds`: the longest wait for a turn; `most`: so many
    calls wait to come in."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self.turns = LoopTurns(seconds, most)
        self._heavy = Turns(_MOST_HEAVY)
        self._thread: ThreadPoolExecutor | None = None

    async def run(self, tenant: str, heavy: bool, work: Callable[[], Result]) -> Result:
        """What `work` gives, in the tenant's turn. Raises Overloaded where it is heavy, and whatever `work` does."""
        if not heavy:
            await self.turns.go_on(tenant)
            return work()
        async with self._heavy.of(tenant, self._seconds):
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, "heavy")
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
