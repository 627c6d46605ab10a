"""How many calls may be under way to one FHIR server at once; the rest wait for their turn inside their deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct, field

PARALLEL = 64
"""by default; CDS_FHIR_PARALLEL."""


class NoSlotError(TimeoutError):
    """No turn came in time: this client was busy, not the server at fault."""


class CallSlots(Struct):
    """One queue per server base; a client's policy bounds how many bases there are."""

    parallel: int = PARALLEL
    _queues: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, base: str, seconds: float) -> AsyncIterator[None]:
        """Waits at most so long. Raises NoSlotError."""
        queue = self._queues.setdefault(base, asyncio.Semaphore(self.parallel))
        try:
            async with asyncio.timeout(seconds):
                await queue.acquire()
        except TimeoutError:
            raise NoSlotError from None
        try:
            yield
        finally:
            queue.release()
