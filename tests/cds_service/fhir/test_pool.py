"""Connections that wait for the next call: as many as may, as long as they may, and never one lost."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpcore
import pytest

from cds_service.fhir.pool import Pool
from cds_service.fhir.sockets import Sockets
from tests.cds_service.fhir.test_sockets import Server, answers

CONTEXT = ssl.create_default_context()


@asynccontextmanager
async def servers(number: int = 1) -> AsyncIterator[list[tuple[Server, str]]]:
    found, listening = [], []
    for _ in range(number):
        server = Server(answers)
        listening.append(await asyncio.start_server(server, "127.0.0.1", 0))
        found.append((server, f"http://127.0.0.1:{listening[-1].sockets[0].getsockname()[1]}/"))
    try:
        yield found
    finally:
        for one in listening:
            one.close()


def pool(*, most: int = 10, kept: int = 10, seconds: float = 30) -> Pool:
    return Pool(CONTEXT, Sockets(), most=most, kept=kept, seconds=seconds)


async def call(of: Pool, url: str, *, waits: float = 5) -> bytes:
    timeout = {"pool": waits, "connect": 5, "read": 5, "write": 5}
    response = await of.handle_async_request(
        httpcore.Request("GET", url, headers=[("Host", "x")], extensions={"timeout": timeout})
    )
    try:
        return await response.aread()
    finally:
        await response.aclose()


def test_no_more_wait_than_may_the_oldest_go_first() -> None:
    async def go() -> tuple[int, int, int]:
        async with servers(2) as ((first, url), (second, other)), pool(kept=3) as ours:
            await asyncio.gather(*(call(ours, url) for _ in range(8)))
            waiting = ours.idle
            for _ in range(3):
                await asyncio.gather(*(call(ours, other) for _ in range(3)))
            await call(ours, url)
            return waiting, first.opened, second.opened

    assert asyncio.run(go()) == (3, 9, 3)


def test_what_waited_too_long_is_closed_and_not_used() -> None:
    async def go() -> tuple[int, int, int]:
        async with servers(2) as ((server, url), (_, other)), pool(seconds=0.1) as ours:
            await asyncio.gather(*(call(ours, url) for _ in range(4)))
            before = ours.idle
            await asyncio.sleep(0.15)
            await call(ours, other)  # of another server: the old ones go all the same
            after = ours.idle
            await call(ours, url)
            return before, after, server.opened

    assert asyncio.run(go()) == (4, 1, 5)


def test_a_call_waits_for_room_as_long_as_it_may() -> None:
    async def go() -> list[bytes | BaseException]:
        async with servers() as ((_, url),), pool(most=1) as ours:
            return [
                *await asyncio.gather(call(ours, url), call(ours, url), return_exceptions=True),
                *await asyncio.gather(call(ours, url), call(ours, url, waits=0.001), return_exceptions=True),
            ]

    first, second, third, fourth = asyncio.run(go())
    assert (first, second, third) == (b"{}", b"{}", b"{}")
    assert isinstance(fourth, httpcore.PoolTimeout)


def test_calls_that_are_cancelled_anywhere_lose_nothing() -> None:
    draw = random.Random(3)

    async def go() -> tuple[int, bytes]:
        async with servers() as ((_, url),), pool(most=5) as ours:
            for _ in range(40):
                calls = [asyncio.create_task(call(ours, url)) for _ in range(8)]
                await asyncio.sleep(draw.uniform(0, 0.05))
                for one in calls:
                    one.cancel()
                await asyncio.gather(*calls, return_exceptions=True)
            return len(ours.busy), b"".join(await asyncio.gather(*(call(ours, url) for _ in range(5))))

    assert asyncio.run(go()) == (0, b"{}" * 5)


def test_a_server_that_is_not_there_takes_no_room() -> None:
    async def go() -> int:
        async with servers() as ((_, url),), pool(most=2) as ours:
            for _ in range(5):
                with pytest.raises(httpcore.ConnectError):
                    await call(ours, "http://127.0.0.1:1/")
            assert await call(ours, url) == b"{}"
            return len(ours.busy)

    assert asyncio.run(go()) == 0
