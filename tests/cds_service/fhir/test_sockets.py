"""The sockets below the HTTP client, on both event loops: they say when a server has hung up, hold no more than they
should, and cost little."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Any, cast

import httpcore
import pytest
import uvloop

from cds_service.fhir.breaker import Breakers
from cds_service.fhir.calls import Caller, Deadline
from cds_service.fhir.door import Policy, open_client
from cds_service.fhir.sockets import Sockets
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
def test_connections_are_kept_for_all_calls_that_may_be_under_way(run: Run, behind_tls: bool, tmp_path: Path) -> None:
    async def go() -> tuple[list[Any], int]:
        server, found = Server(answers), []
        async with caller(server, tmp_path if behind_tls else None) as ours:
            for _ in range(3):
                found += await asyncio.gather(*(one(ours) for _ in range(40)))
        return found, server.opened

    found, opened = run(go())
    assert found == [(200, b"{}", None)] * 120
    assert opened == 40


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


def test_what_nobody_reads_yet_is_left_with_the_server(run: Run) -> None:
    sent = 0

    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while True:
            writer.write(b"x" * 1_000_000)
            await writer.drain()
            sent += 1_000_000

    async def go() -> int:
        listening = await asyncio.start_server(Server(pour), "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        stream = await Sockets().connect_tcp("127.0.0.1", port, timeout=5)
        await asyncio.sleep(0.3)
        held, got = sent, 0
        while got < held + 5_000_000:
            got += len(await stream.read(65_536, timeout=5))
        await stream.aclose()
        listening.close()
        return held

    assert run(go()) < 30_000_000


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


def test_the_sockets_themselves_fail_as_httpcore_wants_it(run: Run) -> None:
    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(2)

    async def go() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            closed = taken.getsockname()[1]
        with pytest.raises(httpcore.ConnectError):
            await Sockets().connect_tcp("127.0.0.1", closed, timeout=1)
        with pytest.raises(httpcore.ConnectTimeout):
            await Sockets().connect_tcp("127.0.0.1", closed, timeout=0)
        listening = await asyncio.start_server(Server(deaf), "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        stream = await Sockets().connect_tcp("127.0.0.1", port, timeout=1)
        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(10, timeout=0.05)
        with pytest.raises(httpcore.WriteTimeout):
            await stream.write(b"x" * 50_000_000, timeout=0.05)
        await stream.aclose()
        await asyncio.sleep(0)
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"x", timeout=1)
        assert stream.get_extra_info("is_readable")
        stream = await Sockets().connect_tcp("127.0.0.1", port, timeout=1)
        with pytest.raises(httpcore.ConnectTimeout):
            await stream.start_tls(ssl.create_default_context(), "localhost", timeout=0.05)
        listening.close()

    run(go())


def test_calls_import_nothing_and_cost_little(run: Run) -> None:
    """A module that is not there is looked for on the whole path each time that it is imported; and a call does not
    look at the connections of others."""
    looked: list[str] = []

    class Watching:
        @staticmethod
        def find_spec(name: str, *_: Any) -> None:
            looked.append(name)

    made: list[int] = []

    def count(frame: FrameType, event: str, _: Any) -> None:
        made[-1] += event == "call" and ("anyio" in frame.f_code.co_filename or "httpcore" in frame.f_code.co_filename)

    async def go() -> None:
        async with caller(Server(answers)) as ours:
            await one(ours)
            sys.meta_path.insert(0, Watching)  # type: ignore[arg-type]
            for crowd in (1, 60):
                await asyncio.gather(*(one(ours) for _ in range(crowd)))
                made.append(0)
                sys.setprofile(count)
                try:
                    await one(ours)
                finally:
                    sys.setprofile(None)
            sys.meta_path.remove(Watching)  # type: ignore[arg-type]

    run(go())
    assert looked == []
    assert made[1] <= made[0] + 20 < 400
