"""Slots, room and rates: so many requests at once and so many bytes of them, for everybody and for each tenant, and so
many calls a minute for each tenant. The next one is told to come back; only for room it may wait a little."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from contextlib import AbstractContextManager
from typing import NamedTuple

from cds_service.errors import Overloaded, TooMany

_BURST_SECONDS = 10
"""what a bucket holds: so many seconds' worth of calls may come at once."""


class Slots:
    """Concurrency caps. One event loop, so plain counters do."""

    def __init__(self, total: int, per_tenant: int) -> None:
        self.total, self.per_tenant = total, per_tenant
        self.used = 0
        self._tenants: dict[str, int] = {}

    def of_all(self) -> AbstractContextManager[None]:
        """A slot of the whole process. Entering raises Overloaded."""
        return _OfAll(self)

    def of_tenant(self, tenant: str, most: int | None = None) -> AbstractContextManager[None]:
        """A slot of one tenant, so that a noisy one does not take everybody's. `most`: its own cap. Entering raises
        Overloaded."""
        return _OfTenant(self, tenant, self.per_tenant if most is None else most)


class _OfAll(AbstractContextManager[None]):
    def __init__(self, slots: Slots) -> None:
        self._slots = slots

    def __enter__(self) -> None:
        if self._slots.used >= self._slots.total:
            raise Overloaded("too many requests at once")
        self._slots.used += 1

    def __exit__(self, *_: object) -> None:
        self._slots.used -= 1


class _OfTenant(AbstractContextManager[None]):
    def __init__(self, slots: Slots, tenant: str, most: int) -> None:
        self._used, self._tenant, self._most = slots._tenants, tenant, most

    def __enter__(self) -> None:
        used = self._used.get(self._tenant, 0)
        if used >= self._most:
            raise Overloaded("too many requests at once")
        self._used[self._tenant] = used + 1

    def __exit__(self, *_: object) -> None:
        _add(self._used, self._tenant, -1)


def _add(counts: dict[str, int], tenant: str, number: int) -> None:
    """So many more of a tenant; who has none is not listed."""
    found = counts.get(tenant, 0) + number
    if found:
        counts[tenant] = found
    else:
        counts.pop(tenant, None)


class Room:
    """Bytes of bodies that are held at once, of each tenant and in all. What does not fit waits before it is read,
    behind the tenant's others, `seconds` at most; a crowd that waits calls no more. A body larger than a tenant's share
    is let in alone."""

    def __init__(self, total: int, per_tenant: int, seconds: float) -> None:
        self.total, self.per_tenant, self.seconds = total, per_tenant, seconds
        self.used = 0
        self._tenants: dict[str, int] = {}
        self._waiting: OrderedDict[str, deque[_Wanted]] = OrderedDict()

    def of(self, tenant: str) -> Share:
        """What a call of the tenant takes; all is given back at the end of its block."""
        return Share(self, tenant)

    def _fits(self, share: Share, size: int) -> bool:
        others = self._tenants.get(share.tenant, 0) - share.taken
        alone = not others or others + share.taken + size <= self.per_tenant
        return alone and self.used + size <= self.total

    def _add(self, share: Share, size: int) -> None:
        share.taken += size
        self.used += size
        _add(self._tenants, share.tenant, size)

    def _let_in(self) -> None:
        """Gives what is free to the first of each tenant, and to its next while they fit; tenants in turn."""
        for tenant in list(self._waiting):
            waiting = self._waiting.pop(tenant)
            while waiting:
                wanted = waiting[0]
                if not wanted.turn.done():
                    if not self._fits(wanted.share, wanted.size):
                        break
                    self._add(wanted.share, wanted.size)
                    wanted.turn.set_result(None)
                waiting.popleft()
            if waiting:
                self._waiting[tenant] = waiting


class Share(AbstractContextManager["Share"]):
    """The bytes that one call holds."""

    def __init__(self, room: Room, tenant: str) -> None:
        self._room, self.tenant = room, tenant
        self.taken = 0

    def __exit__(self, *_: object) -> None:
        if self.taken:
            self._room._add(self, -self.taken)
            if self._room._waiting:
                self._room._let_in()

    def take(self, size: int) -> None:
        """So many bytes more, at once. Raises Overloaded."""
        if not self._room._fits(self, size):
            raise Overloaded("too many large requests at once")
        self._room._add(self, size)

    async def reserve(self, size: int) -> None:
        """The first so many bytes, waited for where there is no room now. Raises Overloaded."""
        room = self._room
        if not room._waiting.get(self.tenant) and room._fits(self, size):
            room._add(self, size)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        room._waiting.setdefault(self.tenant, deque()).append(_Wanted(self, size, turn))
        try:
            await asyncio.wait_for(turn, room.seconds)
        except TimeoutError:
            raise Overloaded("too many large requests at once") from None


class _Wanted(NamedTuple):
    share: Share
    size: int
    turn: asyncio.Future[None]


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
