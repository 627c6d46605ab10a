"""Packed answers come whole, however they are packed and cut into pieces; no more is unpacked than may be held."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from cds_service.fhir.calls import Caller, Deadline
from cds_service.fhir.outbound import Policy, open_client
from cds_service.fhir.unpacking import unpacked
from tests.faults.server import Answer, Server

_MEGABYTE = 1 << 20
_TEXT = b"".join(b"%d," % number for number in range(400_000))
_RAW = zlib.compress(_TEXT)[2:-4]
_PACKED = {
    "identity": _TEXT,
    "gzip": gzip.compress(_TEXT),
    "X-Gzip": gzip.compress(_TEXT),
    "deflate": zlib.compress(_TEXT),
    "gzip, gzip": gzip.compress(gzip.compress(_TEXT)),
    "deflate, gzip": gzip.compress(zlib.compress(_TEXT)),
}


def ask(answer: Answer, **how: int) -> tuple[int, bytes, str | None]:
    async def go() -> tuple[int, bytes, str | None]:
        async with Server() as server:
            server.answers = {"Condition": lambda *_: answer}
            policy = Policy(open_loopback=True)
            async with open_client(policy) as http:
                caller = Caller(http, policy, server.base, **how)
                status, body, failed, _ = await caller.call(f"{server.base}/Condition", Deadline.after(20_000), None)
                [(_, headers)] = server.requests
                assert headers["accept-encoding"] == "gzip, deflate"
                return status, body, failed

    return asyncio.run(go())


@pytest.mark.parametrize("coding", _PACKED)
def test_an_answer_comes_whole(coding: str) -> None:
    assert ask((200, {"Content-Encoding": coding}, _PACKED[coding])) == (200, _TEXT, None)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("deflate", _RAW),
        ("gzip", gzip.compress(_TEXT[:9]) + gzip.compress(_TEXT[9:])),
        ("gzip", gzip.compress(_TEXT) + b"\0" * 20),
        ("deflate", zlib.compress(_TEXT) + b"\0" * 20),
        ("gzip", gzip.compress(_TEXT)[:-8]),
        ("unheard-of", _TEXT),
    ],
    ids=["without a head", "two members", "filled up", "deflate filled up", "without its end", "a name of its own"],
)
def test_so_does_one_that_is_packed_oddly(coding: str, body: bytes) -> None:
    assert ask((200, {"Content-Encoding": coding}, body)) == (200, _TEXT, None)


@pytest.mark.parametrize("body", [b'{"resourceType": "Bundle"}', gzip.compress(_TEXT)[:50] + b"x" * 99], ids=len)
def test_what_is_not_packed_as_it_says_is_a_failure(body: bytes) -> None:
    assert ask((200, {"Content-Encoding": "gzip"}, body))[2] == "connection"


@pytest.mark.parametrize("form", ["gzip", "deflate"])
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_pieces_of_any_size_are_put_together(form: str, size: int) -> None:
    text = _TEXT[:20_000]
    packed = gzip.compress(text) if form == "gzip" else zlib.compress(text)

    class Pieces(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for start in range(0, len(packed), size):
                yield packed[start : start + size]

    async def go() -> bytes:
        return await unpacked(httpx.Response(200, headers={"Content-Encoding": form}, stream=Pieces())).aread()

    assert asyncio.run(go()) == text


def test_no_more_is_unpacked_than_may_be_held() -> None:
    packed = gzip.compress(b" " * (200 * _MEGABYTE))
    answer = (200, {"Content-Encoding": "gzip"}, packed)
    ask(answer, most=1)  # what a first call imports
    tracemalloc.start()
    try:
        assert ask(answer, most=2 * _MEGABYTE) == (200, b"", "too-large")
        assert tracemalloc.get_traced_memory()[1] < 12 * _MEGABYTE
    finally:
        tracemalloc.stop()
