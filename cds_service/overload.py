"""Slots: so many requests at once, for everybody and for each tenant. The next one is told to come back, not queued."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from cds_service.errors import Overloaded


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
    def of_tenant(self, tenant: str) -> Iterator[None]:
        """A slot of one tenant, so that a noisy one does not take everybody's. Raises Overloaded."""
        if self._tenants[tenant] >= self.per_tenant:
            raise Overloaded("too many requests at once")
        self._tenants[tenant] += 1
        try:
            yield
        finally:
            self._tenants[tenant] -= 1
            if not self._tenants[tenant]:
                del self._tenants[tenant]
