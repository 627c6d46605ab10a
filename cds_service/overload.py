"""Slots and rates: so many requests at once, for everybody and for each tenant, and so many a minute for each tenant.
The next one is told to come back, not queued. Turns: tenants take turns at the work that occupies the process."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from cds_service.errors import Overloaded, TooMany

_BURST_SECONDS = 10
"""what a bucket holds: so many seconds' worth of calls may come at once."""


class Slots:
    """Concurrency caps. One event loop, so plain counters do."""

    def __init__(self, total: int, per_tenant: int) -> None:
        self.total, self.per_tenant = total, per_tenant
        self.used = 0
        self._tenants: Counter[str] = Counter()

    @contextmanager
    def of_all(self) -> Iterator[None]:
        """A slot of the whole process. Raises Overloaded."""
        if self.used >= self.total:
            raise Overloaded("too many requests at once")
        self.used += 1
        try:
            yield
        finally:
            self.used -= 1

    @contextmanager
    def of_tenant(self, tenant: str, most: int | None = None) -> Iterator[None]:
        """A slot of one tenant, so that a noisy one does not take everybody's. `most`: its own cap."""
        if self._tenants[tenant] >= (self.per_tenant if most is None else most):
            raise Overloaded("too many requests at once")
        self._tenants[tenant] += 1
        try:
            yield
        finally:
            self._tenants[tenant] -= 1
            if not self._tenants[tenant]:
                del self._tenants[tenant]


class Rates:
    """A token bucket for each tenant. `per_minute` is the cap of tenants that have none of their own."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, tenant: str, per_minute: int | None = None, now: float | None = None) -> None:
        """One call of a tenant. Raises TooMany."""
        rate = (per_minute or self.per_minute) / 60
        full = max(1.0, rate * _BURST_SECONDS)
        at = time.monotonic() if now is None else now
        left, before = self._buckets.get(tenant, (full, at))
        left = min(full, left + (at - before) * rate)
        if left < 1:
            self._buckets[tenant] = (left, at)
            raise TooMany("too many requests a minute")
        self._buckets[tenant] = (left - 1, at)


class Turns:
    """One at a time, tenants in turn: who waits behind a crowd of another tenant waits for one of it, not for all."""

    def __init__(self) -> None:
        self._busy = False
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def of(self, tenant: str) -> AsyncIterator[None]:
        if self._busy:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(tenant, deque()).append(turn)
            try:
                await turn
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
