"""Heads of requests that never end: refused over real sockets, before anything about the caller is known."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cds_service import request_heads
from tests.serving import listening, serving

_LINE = b"X-A: " + b"a" * 4000 + b"\r\n"
_WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def ok(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads a body and answers 200."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    monkeypatch.setattr(request_heads, "HEAD_SECONDS", 0.5)
    with listening(ok, http=request_heads.RequestHeads, lifespan="off") as url:
        parts = urlsplit(url)
        yield parts.hostname or "", parts.port or 0


def answered(address: tuple[str, int], *pieces: bytes, pause: float = 0.0) -> bytes:
    """All that comes back until the connection ends."""
    found = b""
    with socket.create_connection(address, timeout=10) as connection, contextlib.suppress(OSError):
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        while piece := connection.recv(4096):
            found += piece
    return found


def diagnostics(answer: bytes) -> str:
    """What the last answer says, which must be an OperationOutcome of the length that it says."""
    head, _, body = answer.rpartition(b"HTTP/1.1 ")[2].partition(b"\r\n\r\n")
    assert b"content-type: application/fhir+json\r\n" in head
    assert f"content-length: {len(body)}".encode() in head
    found = json.loads(body)
    assert found["resourceType"] == "OperationOutcome"
    return str(found["issue"][0]["diagnostics"])


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/1.1\nHost: x\n\n\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_told_as_every_error(address: tuple[str, int], sent: bytes) -> None:
    found = answered(address, sent)
    assert found.startswith(b"HTTP/1.1 400 ")
    assert diagnostics(found) == "not readable as HTTP/1.1"


@pytest.mark.parametrize("line", [b"X-A: " + b"a" * 200_000, _LINE * 40, b"X: y\r\n" * 20_000])
def test_a_large_head_is_refused(address: tuple[str, int], line: bytes) -> None:
    found = answered(address, b"GET / HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 431 ")
    assert found.count(b"HTTP/1.1 ") == 1
    assert diagnostics(found) == "the head of the request is over the limit"


def test_a_long_address_is_refused(address: tuple[str, int]) -> None:
    assert answered(address, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("endless", [_LINE, b"a" * 4000])
def test_a_head_without_an_end_is_not_kept(address: tuple[str, int], endless: bytes) -> None:
    sent = 0
    with socket.create_connection(address, timeout=10) as connection, contextlib.suppress(OSError):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-B: b")
        while sent < 50_000_000:
            connection.sendall(endless)
            sent += len(endless)
    assert sent < 50_000_000


def test_a_slow_head_is_given_up(address: tuple[str, int]) -> None:
    begun = time.monotonic()
    assert answered(address, b"GET / HTTP/1.1\r\nHost: x\r\nX-").startswith(b"HTTP/1.1 408 ")
    sent = 0
    with socket.create_connection(address, timeout=10) as connection, contextlib.suppress(OSError):
        connection.sendall(b"GET / HTTP/1.1\r\n")
        while sent < 100:
            time.sleep(0.1)
            connection.sendall(b"X: y\r\n")  # a piece from time to time wins no time
            sent += 1
    assert sent < 100
    assert answered(address) == b""
    assert time.monotonic() - begun < 20


def test_a_slow_second_head_is_given_up(address: tuple[str, int]) -> None:
    found = answered(address, _WHOLE, b"GET / HTTP/1.1\r\n", pause=0.1)
    assert found.startswith(b"HTTP/1.1 200 ")
    assert found.count(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n") == 1
    assert diagnostics(found) == "the head of the request did not arrive in time"


def test_what_is_neither_large_nor_slow_is_answered(address: tuple[str, int]) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 60_000 + b"\r\nContent-Length: 300000\r\n"
    slow = [head[:100], head[100:30_000], head[30_000:], b"\r\n"]
    closing = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 1\r\n\r\n"
    found = answered(address, *slow, b"b" * 300_000 + _WHOLE[:10], _WHOLE[10:], closing, b"", b"", b"", b"x", pause=0.1)
    assert found.count(b"HTTP/1.1 200 ") == 3
    assert found.count(b"HTTP/1.1") == 3


def test_the_service_is_served_so(tmp_path: Path) -> None:
    settings = {"CDS_PROFILE": "sandbox", "CDS_DATABASE_URL": "sqlite://"}
    with serving(tmp_path, settings) as served:
        here = ("127.0.0.1", served.port)
        assert answered(here, b"GET /healthz HTTP/1.1\r\n" + _LINE * 40 + b"\r\n").startswith(b"HTTP/1.1 431 ")
        assert b" 200 OK" in answered(here, b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")
