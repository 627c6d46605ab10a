"""Heads of requests (the line with the address, and the headers) with a limit of size and of time.

Everything else that is limited is known only when the head has been read. The server's parser reads one of any length
and waits for it as long as a connection lasts: who is not even known yet could fill the memory, or hold open as many
connections as there are. uvicorn's protocol of httptools, of which this is one, has no such limits."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cds_service.answers import FHIR_JSON
from cds_service.errors import outcome

MAX_HEAD_BYTES = 64 * 1024
"""a token and what proxies add are a few thousand"""
HEAD_SECONDS = 20.0
"""how long a head may take, and how long a new connection may wait before the first one"""
_AROUND = len(": \r\n")
_TOO_LARGE, _TOO_SLOW, _MALFORMED = "431 Request Header Fields Too Large", "408 Request Timeout", "400 Bad Request"
_SAID = {
    _TOO_LARGE: outcome("too-long", "the head of the request is over the limit"),
    _TOO_SLOW: outcome("timeout", "the head of the request did not arrive in time"),
    _MALFORMED: outcome("structure", "not readable as HTTP/1.1"),
}
"""errors are OperationOutcomes, those too that are told before there is an application to tell them."""


def _answer(status: str) -> bytes:
    body = msgspec.json.encode(_SAID[status])
    head = f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: {FHIR_JSON}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class RequestHeads(HttpToolsProtocol):
    """A connection that is closed when a head is too large (431) or comes too slowly (408)."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head, self._large = False, False
        self._pieces = self._fields = 0
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._in_head
        super().data_received(data)
        if self._in_head:
            self._pieces += len(data) if before else 0  # the first piece may be the end of a body too
            if self._pieces > MAX_HEAD_BYTES:
                self._refuse(_TOO_LARGE)
            elif self._late is None:
                self._wait()

    def on_message_begin(self) -> None:
        self._in_head, self._pieces, self._fields = True, 0, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + _AROUND)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if self._large:
            self._refuse(_TOO_LARGE)
        else:
            self.transport.write(_answer(_MALFORMED))
            self.transport.close()

    def _count(self, size: int) -> None:
        """Raises for the parser, which then reads no further and asks for a 400."""
        self._fields += size
        if self._fields > MAX_HEAD_BYTES:
            self._large = True
            raise ValueError("the head is too large")

    def _wait(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._refuse, _TOO_SLOW)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, status: str) -> None:
        self._stop_waiting()
        if self._in_head and not self.transport.is_closing():
            self.transport.write(_answer(status))
        self._in_head = False
        self.transport.close()
