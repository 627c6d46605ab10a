"""Requests over a real socket: requests per second and latencies, for information only."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bodies import AS_OF, Who, body
from benchmarks.service import PATH, check, settings, token
from cds_service.app import create_app
from cds_service.pipeline import load_brain
from tests.serving import listening

_SECONDS = 4.0
_MOST = {100: 4000, 1000: 800}
"""requests prepared for one measurement, each with a token of its own."""
_CONNECTIONS = {100: (1, 16), 1000: (1, 8)}
"""of large charts no more of one tenant wait for their turn than 8; the ninth is told to come again."""


@dataclass(frozen=True, slots=True)
class Served:
    """Latencies in milliseconds."""

    who: Who
    resources: int
    connections: int
    requests: int
    per_second: float
    p50: float
    p95: float
    p99: float


class ToldToWaitError(Exception):
    """The service is too busy now and may be asked again (503)."""


@contextmanager
def serving() -> Iterator[str]:
    """The base URL of the production profile on a port of its own."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(settings(Path(folder)), brain=load_brain(AS_OF))
        with listening(app) as url:
            yield url


def measure_served() -> list[Served]:
    numbers = iter(range(10**7))
    with serving() as url:
        return [
            asyncio.run(_measure(url, who, size, connections, numbers))
            for size in _MOST
            for who in ("silent", "detection")
            for connections in _CONNECTIONS[size]
        ]


async def _measure(url: str, who: Who, size: int, connections: int, numbers: Iterator[int]) -> Served:
    wanted = body(who, size)
    ready = [(n, token(n)) for _, n in zip(range(_MOST[size]), numbers, strict=False)]
    latencies: list[float] = []
    end = time.perf_counter() + _SECONDS
    host, port = url.removeprefix("http://").split(":")

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        while ready and time.perf_counter() < end:
            number, bearer = ready.pop()
            sent = request_of(wanted.of_patient(number), bearer)
            begun = time.perf_counter()
            writer.write(sent)
            answer = await answer_of(reader)
            latencies.append((time.perf_counter() - begun) * 1000)
            check(who, answer)
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(connections)))
    seconds = time.perf_counter() - begun
    cuts = statistics.quantiles(latencies, n=100)
    rate = len(latencies) / seconds
    return Served(who, size, connections, len(latencies), rate, cuts[49], cuts[94], cuts[98])


def request_of(content: bytes, bearer: str) -> bytes:
    """A hook call as it goes over a socket."""
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: cds.example.org\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {bearer}\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def answer_of(reader: asyncio.StreamReader) -> bytes:
    """The body of the next answer; ToldToWaitError for a 503, fails for anything else but 200."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    body = await reader.readexactly(int(lengths[0].split(b":")[1]))
    if head.startswith(b"HTTP/1.1 503"):
        raise ToldToWaitError
    assert head.startswith(b"HTTP/1.1 200"), head
    return body


if __name__ == "__main__":
    for row in measure_served():
        sys.stdout.write(f"{row}\n")
