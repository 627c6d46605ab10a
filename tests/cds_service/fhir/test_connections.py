"""Calls leave nothing behind, however they end: no connection stays that is of no use, no ring of objects holds one,
no cookie goes from one person's call into another's."""

from __future__ import annotations

import asyncio
import gc
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from cds_service.fhir.breaker import Breakers
from cds_service.fhir.calls import Caller, Deadline
from cds_service.fhir.client import get_bytes
from cds_service.fhir.outbound import OutboundClient, Policy, open_client
from tests.soak.service import certificate

_ANSWER = (
    b'HTTP/1.1 200 OK\r\ncontent-type: application/fhir+json\r\ncontent-length: 28\r\n\r\n{"resourceType": "Bundle"}  '
)


async def _answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(0.01)
            writer.write(_ANSWER)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


@asynccontextmanager
async def _server(
    folder: Path, answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> AsyncIterator[tuple[OutboundClient, Policy, str]]:
    """A server behind TLS that answers so; our client to it, what the client may ask, and the base URL."""
    files = certificate(folder)
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.load_cert_chain(*files)
    server = await asyncio.start_server(answer, "localhost", 0, ssl=here)
    base = f"https://localhost:{server.sockets[0].getsockname()[1]}/fhir"
    policy = Policy(bases=(base,), allow_private=True)
    http = open_client(policy, ssl.create_default_context(cafile=str(files[0])))
    http.breakers = Breakers(failures=10**9)
    try:
        yield http, policy, base
    finally:
        await http.aclose()
        server.close()


async def _hurried(folder: Path) -> tuple[list[Any], list[Any], str | None]:
    """Calls with far too little time; (connections, requests) that the pool still has, and how a patient call ends."""
    async with _server(folder, _answering) as (http, policy, base):
        caller, draw = Caller(http, policy, base), random.Random(1)
        for _ in range(30):
            deadlines = [Deadline.after(draw.randint(1, 25)) for _ in range(12)]
            await asyncio.gather(*(caller.call(f"{base}/Condition?patient=1", d, None) for d in deadlines))
        await asyncio.sleep(0.2)
        pool: Any = http._transport._pool  # type: ignore[attr-defined]
        stuck = [c for c in pool.connections if not c.is_idle()]
        waiting = list(pool._requests)
        _, _, failed, _ = await caller.call(f"{base}/Condition?patient=1", Deadline.after(5000), None)
    return stuck, waiting, failed


def test_no_connection_is_lost_when_time_runs_out(tmp_path: Path) -> None:
    stuck, waiting, failed = asyncio.run(_hurried(tmp_path))
    assert stuck == []
    assert waiting == []
    assert failed is None


_STATUS = {
    "answered": _ANSWER,
    "failed": b"HTTP/1.1 500 Error\r\ncontent-length: 2\r\n\r\n{}",
    "cut off": b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{",
    "nothing": b"",
}
_CALLS = 10
_HELD: tuple[type, ...] = (httpx.Response, httpcore.AsyncHTTP11Connection, ssl.SSLObject)


async def _held_after(folder: Path, ending: str) -> dict[str, int]:
    """How many responses, connections and TLS states are still there after calls that ended so, with nobody to collect
    rings."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(_STATUS[ending])
                await writer.drain()
                if ending in ("cut off", "nothing"):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with _server(folder, answer) as (http, policy, base):
        gc.collect()
        known = {id(o) for o in gc.get_objects() if type(o) in _HELD}
        gc.disable()
        try:
            for _ in range(_CALLS):
                await Caller(http, policy, base).call(f"{base}/Condition?patient=1", Deadline.after(5000), None)
                await get_bytes(http, policy, f"{base}/style.json", Deadline.after(5000), 1000)
            await asyncio.sleep(0.1)
            found = [type(o).__name__ for o in gc.get_objects() if type(o) in _HELD and id(o) not in known]
        finally:
            gc.enable()
        return {name: found.count(name) for name in set(found)}


@pytest.mark.parametrize("ending", _STATUS)
def test_no_call_leaves_a_ring_with_its_connection(ending: str, tmp_path: Path) -> None:
    held = asyncio.run(_held_after(tmp_path, ending))
    assert held.get("Response", 0) == 0
    # the pool keeps one for the next call; of asyncio's own server there may be the other end of each
    assert held.get("AsyncHTTP11Connection", 0) <= 1
    assert held.get("SSLObject", 0) <= 2


def test_no_cookie_of_one_call_goes_out_with_another(tmp_path: Path) -> None:
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                seen.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(_ANSWER.replace(b"\r\n", b"\r\nset-cookie: session=of-one-person; path=/\r\n", 1))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def calls() -> None:
        async with _server(tmp_path, answer) as (http, policy, base):
            for _ in range(2):
                await Caller(http, policy, base).call(f"{base}/Condition?patient=1", Deadline.after(5000), None)

    asyncio.run(calls())
    assert len(seen) == 2
    assert not any(b"cookie" in request.lower() for request in seen)
