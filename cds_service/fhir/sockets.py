"""Sockets for the HTTP client, straight from the event loop.

httpcore's own go through anyio: some 60 Python calls for each piece that is read or written, and ten for each
connection of the pool whenever a call begins or ends, to ask the system whether the server has hung up. Here the loop
says so itself."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any, cast

import httpcore

_ENOUGH = 1024 * 1024
"""bytes that wait to be read; then the server is told to wait."""


class _Pipe(asyncio.Protocol):
    """What came and has not been read yet, and whether more can come or go."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.came = bytearray()
        self.ended = self.failed = self.full = False
        self._held = False
        self._waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.came += data
        if len(self.came) > _ENOUGH and not self._held and self.transport is not None:
            self._held = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self.ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended, self.failed = True, exc is not None
        self.transport = None  # else each would keep the other
        self._wake()

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self._wake()

    def take(self, most: int) -> bytes:
        """What came, so many bytes at most."""
        taken = bytes(self.came[:most])
        del self.came[:most]
        if self._held and not self.came and self.transport is not None:
            self._held = False
            self.transport.resume_reading()
        return taken

    async def change(self, seconds: float | None) -> None:
        """Waits until something comes, can go, or has ended. Raises TimeoutError."""
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._waiting
        finally:
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class _Socket(httpcore.AsyncNetworkStream):
    def __init__(self, pipe: _Pipe) -> None:
        self._pipe = pipe

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        pipe = self._pipe
        try:
            while not pipe.came and not pipe.ended:
                await pipe.change(timeout)
        except TimeoutError:
            raise httpcore.ReadTimeout from None
        if pipe.failed and not pipe.came:
            raise httpcore.ReadError("connection lost")
        return pipe.take(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        pipe = self._pipe
        if pipe.transport is None or pipe.transport.is_closing():
            raise httpcore.WriteError("connection lost")
        pipe.transport.write(buffer)
        try:
            while pipe.full and pipe.transport is not None:
                await pipe.change(timeout)
        except TimeoutError:
            raise httpcore.WriteTimeout from None
        if pipe.failed:
            raise httpcore.WriteError("connection lost")

    async def aclose(self) -> None:
        if self._pipe.transport is not None:
            self._pipe.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        pipe, loop = self._pipe, asyncio.get_running_loop()
        if pipe.transport is None:
            raise httpcore.ConnectError("connection lost")
        try:
            async with asyncio.timeout(timeout):
                upgraded = await loop.start_tls(pipe.transport, pipe, ssl_context, server_hostname=server_hostname)
        except BaseException as error:
            await self.aclose()
            if isinstance(error, TimeoutError):
                raise httpcore.ConnectTimeout from None
            if isinstance(error, OSError):
                raise httpcore.ConnectError("no TLS") from error  # SSLError is one
            raise
        if upgraded is None:
            raise httpcore.ConnectError("connection lost")
        pipe.transport = upgraded
        return _Socket(pipe)

    def get_extra_info(self, info: str) -> Any:
        pipe = self._pipe
        if info == "is_readable":
            return pipe.ended or bool(pipe.came)
        if pipe.transport is None:
            return None
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return pipe.transport.get_extra_info(names.get(info, info))


class Sockets(httpcore.AsyncNetworkBackend):
    """Opens them."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        own = None if local_address is None else (local_address, 0)
        try:
            async with asyncio.timeout(timeout):
                transport, pipe = await loop.create_connection(_Pipe, host, port, local_addr=own)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except OSError as error:
            raise httpcore.ConnectError("not reached") from error
        for option in socket_options or ():
            transport.get_extra_info("socket").setsockopt(*option)
        return _Socket(pipe)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise httpcore.UnsupportedProtocol

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
