"""Calls over real sockets, on both event loops: a server that has hung up is noticed, failures are told apart, and
nothing is looked for at each call."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import uvloop

from cds_service.fhir.breaker import Breakers
from cds_service.fhir.calls import Caller, Deadline
from cds_service.fhir.outbound import Policy, open_client
from tests.soak.service import certificate

Run = Callable[[Coroutine[Any, Any, Any]], Any]
Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return cast("Run", request.param)


class Server:
    """Counts the connections that were opened to it; `answer` speaks on each."""

    def __init__(self, answer: Answering) -> None:
        self.answer, self.opened = answer, 0
        self.writers: list[asyncio.StreamWriter] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.writers.append(writer)
        try:
            await self.answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def caller(server: Server, folder: Path | None = None, trusted: bool = True) -> AsyncIterator[Caller]:
    """Our client at this server, behind TLS where there is a folder for the certificate."""
    here = context = None
    if folder is not None:
        files = certificate(folder)
        here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        here.load_cert_chain(*files)
        context = ssl.create_default_context(cafile=str(files[0]) if trusted else None)
    listening = await asyncio.start_server(server, "localhost", 0, ssl=here, family=socket.AF_INET)
    port = listening.sockets[0].getsockname()[1]
    base = f"{'https' if here else 'http'}://localhost:{port}/fhir"
    policy = Policy(bases=(base,), allow_private=True)
    http = open_client(policy, context)
    http.breakers = Breakers(failures=10**9)
    try:
        yield Caller(http, policy, base)
    finally:
        await http.aclose()
        listening.close()


async def one(caller: Caller, milliseconds: int = 5000) -> tuple[int, bytes, str | None]:
    status, body, failed, _ = await caller.call(f"{caller.base}/Condition", Deadline.after(milliseconds), None)
    return status, body, failed


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readuntil(b"\r\n\r\n"):
        await asyncio.sleep(0.02)
        writer.write(_ANSWER)
        await writer.drain()


@pytest.mark.parametrize("behind_tls", [False, True])
def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again(
    run: Run, behind_tls: bool, tmp_path: Path
) -> None:
    async def go() -> tuple[list[Any], int]:
        server, found = Server(answers), []
        async with caller(server, tmp_path if behind_tls else None) as ours:
            for _ in range(3):
                found.append(await one(ours))
                for writer in server.writers:
                    writer.close()
                await asyncio.sleep(0.05)
        return found, server.opened

    assert run(go()) == ([(200, b"{}", None)] * 3, 3)


@pytest.mark.parametrize("behind_tls", [False, True])
@pytest.mark.parametrize("length", [0, 1, 70_000, 9_000_000])
def test_answers_of_any_length_come_whole(run: Run, length: int, behind_tls: bool, tmp_path: Path) -> None:
    body = bytes(range(256)) * (length // 256) + b"x" * (length % 256)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            for start in range(0, length, 100_001):
                piece = body[start : start + 100_001]
                writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                await writer.drain()
            writer.write(b"0\r\n\r\n")

    async def go() -> list[Any]:
        async with caller(Server(answer), tmp_path if behind_tls else None) as ours:
            return [await one(ours, 20_000) for _ in range(2)]

    assert run(go()) == [(200, body, None)] * 2


def test_failures_are_told_apart(run: Run, tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{")
        await writer.drain()

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async def go() -> list[str | None]:
        found = []
        for answer, folder, trusted in (
            (silent, None, True),
            (cut, None, True),
            (cut, tmp_path, True),
            (reset, None, True),
            (reset, tmp_path, True),
            (answers, tmp_path, False),
        ):
            async with caller(Server(answer), folder, trusted) as ours:
                found.append((await one(ours, 400))[2])
        return found

    assert run(go()) == ["timeout", "truncated", "truncated", "connection", "connection", "connection"]


def test_calls_import_nothing(run: Run) -> None:
    """A module that is not there is looked for on the whole path each time that it is imported."""
    looked: list[str] = []

    class Watching:
        @staticmethod
        def find_spec(name: str, *_: Any) -> None:
            looked.append(name)

    async def go() -> None:
        async with caller(Server(answers)) as ours:
            await asyncio.gather(*(one(ours) for _ in range(8)))
            sys.meta_path.insert(0, Watching)  # type: ignore[arg-type]
            try:
                await asyncio.gather(*(one(ours) for _ in range(8)))
            finally:
                sys.meta_path.remove(Watching)  # type: ignore[arg-type]

    run(go())
    assert looked == []
