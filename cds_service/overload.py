"""Slots and rates: so many requests at once, for everybody and for each tenant, and so many a minute for each tenant.
The next one is told to come back, not queued."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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


class Room:
    """Bytes of bodies that are held at once, of each tenant and in all: what would not fit is refused before it is
    read. A body larger than a tenant's share is let in alone."""

    def __init__(self, total: int, per_tenant: int) -> None:
        self.total, self.per_tenant = total, per_tenant
        self.used = 0
        self._tenants: Counter[str] = Counter()

    @contextmanager
    def of(self, tenant: str) -> Iterator[Callable[[int], None]]:
        """A function that takes so many bytes more, and raises Overloaded; all are given back at the end."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            others = self._tenants[tenant] - taken
            if (others and others + taken + size > self.per_tenant) or self.used + size > self.total:
                raise Overloaded("too many large requests at once")
            taken += size
            self.used += size
            self._tenants[tenant] += size

        try:
            yield take
        finally:
            self.used -= taken
            self._tenants[tenant] -= taken
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
