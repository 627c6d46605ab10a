"""The open connections of the HTTP client: one for each call under way, and those that wait for the next.

httpcore's own pool looks at every connection whenever a call begins or ends, and for each idle one at every other: with
64 of them that takes longer than all the rest of the call. Here a call takes the connection that was used last, or
opens one, and gives it back."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Any

import httpcore

_Origin = tuple[bytes, bytes, int]
_Connection = httpcore.AsyncHTTPConnection


class Pool:
    """`most`: so many calls at once; `kept`: so many connections wait, for `seconds` each."""

    def __init__(
        self, context: ssl.SSLContext, backend: httpcore.AsyncNetworkBackend, *, most: int, kept: int, seconds: float
    ) -> None:
        self._context, self._backend, self._kept, self._seconds = context, backend, kept, seconds
        self._room = asyncio.Semaphore(most)
        self._idle: dict[_Origin, deque[_Connection]] = {}
        self.busy: set[_Connection] = set()
        """those of calls under way"""

    @property
    def idle(self) -> int:
        """How many connections wait."""
        return sum(map(len, self._idle.values()))

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """The answer as httpcore's pool gives it: when it is closed, its connection is free again."""
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("pool")):
                await self._room.acquire()
        except TimeoutError:
            raise httpcore.PoolTimeout from None
        origin, connection = request.url.origin, None
        try:
            connection = await self._free(origin)
            self.busy.add(connection)
            response = await connection.handle_async_request(request)
        except BaseException:
            await self._ended(origin, connection)
            raise
        stream = _Stream(response.stream, partial(self._ended, origin, connection))
        extensions = response.extensions
        return httpcore.Response(response.status, headers=response.headers, content=stream, extensions=extensions)

    async def _free(self, origin: httpcore.Origin) -> _Connection:
        """The connection that was used last of those that still stand, or one that is still to be opened."""
        idle = self._idle.get(_key(origin))
        while idle:
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return _Connection(
            origin, ssl_context=self._context, keepalive_expiry=self._seconds, network_backend=self._backend
        )

    async def _ended(self, origin: httpcore.Origin, connection: _Connection | None) -> None:
        """The call is over, however it went."""
        self._room.release()
        leaving = []
        if connection is not None:
            self.busy.discard(connection)
            if connection.is_idle() and not connection.is_closed():
                self._idle.setdefault(_key(origin), deque()).append(connection)
            else:
                leaving.append(connection)
        for key, idle in [*self._idle.items()]:
            while idle and (idle[0].has_expired() or self.idle > self._kept):
                leaving.append(idle.popleft())
            if not idle:
                del self._idle[key]
        for gone in leaving:
            await gone.aclose()

    async def aclose(self) -> None:
        """Closes all of them."""
        leaving = [*self.busy, *(connection for idle in self._idle.values() for connection in idle)]
        self._idle = {}
        for connection in leaving:
            await connection.aclose()

    async def __aenter__(self) -> Pool:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _key(origin: httpcore.Origin) -> _Origin:
    return origin.scheme, origin.host, origin.port


class _Stream:
    """The body of an answer; `ended` is called once, when nobody will read on."""

    def __init__(self, stream: Any, ended: Callable[[], Awaitable[None]]) -> None:
        self._stream, self._ended = stream, ended
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self._stream.aclose()
        finally:
            await self._ended()
