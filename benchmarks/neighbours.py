"""What a tenant notices of a flooding neighbour: its latency with and without the flood, over real sockets.

The service is the command `cds-service serve` in the production profile, one worker; the flood comes from a process of
its own. The quiet tenant asks about one small chart every so often, phases with and without the flood take turns, and
every answer of it is checked. `python -m benchmarks.neighbours` prints the table of docs/benchmarks.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import yaml
from joserfc import jwt
from joserfc.jwk import ECKey

from benchmarks.bodies import body
from benchmarks.service import BASE, PATH, check

Flood = Literal["large charts", "small charts", "bodies that never end", "tokens of nobody"]
FLOODS: tuple[Flood, ...] = ("large charts", "small charts", "bodies that never end", "tokens of nobody")
_CONNECTIONS = {"large charts": 32, "small charts": 32, "bodies that never end": 300, "tokens of nobody": 32}
_ROUNDS = 3
_QUIET = 40
_PAUSE = 0.1
_KEYS = {name: ECKey.generate_key("P-384", {"kid": name}) for name in ("quiet", "noisy", "nobody")}


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Latencies of the quiet tenant in milliseconds; what the flood was told, by status, and how late at the worst."""

    flood: Flood
    requests: int
    alone_p50: float
    alone_p95: float
    beside_p50: float
    beside_p95: float
    statuses: dict[int, int]
    refused_p95: float

    @property
    def ratio(self) -> float:
        return self.beside_p95 / self.alone_p95


def bearer(name: str) -> str:
    now = int(time.time())
    claims = {"iss": f"https://{name}.example.org", "aud": BASE + PATH, "iat": now, "exp": now + 300}
    key = _KEYS[name]
    head = {"alg": "ES384", "kid": key.kid, "typ": "JWT"}
    return jwt.encode(head, claims | {"jti": str(uuid.uuid4())}, key, algorithms=["ES384"])


@contextmanager
def serving() -> Iterator[tuple[str, int]]:
    """Host and port of the service as a process, with two tenants."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tenants.yaml"
        entries = [
            {
                "id": name,
                "issuer": f"https://{name}.example.org",
                "audience": BASE,
                "jwks": {"keys": [_KEYS[name].as_dict(private=False)]},
                "fhirServers": ["https://fhir.example.org/r4"],
            }
            for name in ("quiet", "noisy")
        ]
        file.write_text(yaml.safe_dump({"tenants": entries}))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CDS_")},
            "CDS_TENANTS_FILE": str(file),
            "CDS_PUBLIC_URL": BASE,
            "CDS_DATABASE_URL": f"sqlite:///{folder}/cds.sqlite3",
        }
        command = [str(Path(sys.executable).with_name("cds-service")), "serve", "--port", str(port)]
        process = subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.DEVNULL)
        try:
            _wait_for(port, process)
            yield "127.0.0.1", port
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the service ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("the service did not listen")


async def post(host: str, port: int, token: str, content: bytes) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(_head(token, len(content)) + content)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        )
        return int(head[9:12]), await reader.readexactly(length)
    finally:
        writer.close()


def _head(token: str, length: int) -> bytes:
    return (
        f"POST {PATH} HTTP/1.1\r\nhost: cds.example.org\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n"
    ).encode()


def measure(flood: Flood, rounds: int = _ROUNDS, requests: int = _QUIET) -> Neighbours:
    """Phases alone and beside the flood take turns, so that the machine's other work falls on both."""
    wanted = body("silent", 100)
    alone: list[float] = []
    beside: list[float] = []
    with serving() as (host, port):
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.Process(target=_flood, args=(flood, host, port, theirs), daemon=True)
        process.start()
        asyncio.run(_quiet(host, port, wanted.content, 5))
        for _ in range(rounds):
            alone += asyncio.run(_quiet(host, port, wanted.content, requests))
            ours.send("on")
            time.sleep(1.0)
            beside += asyncio.run(_quiet(host, port, wanted.content, requests))
            ours.send("off")
            ours.recv()
        ours.send("end")
        statuses, refused = ours.recv()
        process.join(20)
    one, two = statistics.quantiles(alone, n=20), statistics.quantiles(beside, n=20)
    worst = statistics.quantiles(refused, n=20)[18] if len(refused) > 1 else 0.0
    return Neighbours(flood, len(beside), one[9], one[18], two[9], two[18], statuses, worst)


async def _quiet(host: str, port: int, content: bytes, requests: int) -> list[float]:
    latencies = []
    for _ in range(requests):
        token = bearer("quiet")
        begun = time.perf_counter()
        status, answer = await post(host, port, token, content)
        latencies.append((time.perf_counter() - begun) * 1000)
        assert status == 200, (status, answer[:200])
        check("silent", answer)
        await asyncio.sleep(_PAUSE)
    return latencies


def _flood(flood: Flood, host: str, port: int, pipe: Connection) -> None:
    """The noisy tenant's process: as fast as it can while it is "on"."""
    statuses: Counter[int] = Counter()
    refused: list[float] = []
    content = body("silent", 100 if flood == "small charts" else 5000).content
    while pipe.recv() == "on":
        asyncio.run(_noise(flood, host, port, content, pipe, statuses, refused))
        pipe.send("off")
    pipe.send((dict(statuses), refused))


async def _noise(
    flood: Flood, host: str, port: int, content: bytes, pipe: Connection, statuses: Counter[int], refused: list[float]
) -> None:
    async def connection() -> None:
        while True:
            begun = time.perf_counter()
            try:
                if flood == "bodies that never end":
                    await _never_ends(host, port)
                    continue
                name = "nobody" if flood == "tokens of nobody" else "noisy"
                status, _ = await post(host, port, bearer(name), content)
            except (OSError, asyncio.IncompleteReadError):
                statuses[0] += 1
                await asyncio.sleep(0.05)
                continue
            statuses[status] += 1
            if status != 200:
                refused.append((time.perf_counter() - begun) * 1000)

    tasks = [asyncio.create_task(connection()) for _ in range(_CONNECTIONS[flood])]
    while not pipe.poll():
        await asyncio.sleep(0.05)
    pipe.recv()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _never_ends(host: str, port: int) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(_head(bearer("noisy"), 100_000) + b"{")
        await reader.read(1)
        await asyncio.sleep(0.2)
    finally:
        writer.close()


def table(rows: list[Neighbours]) -> str:
    lines = [
        "| The neighbour floods with | Requests | Alone p50 / p95, ms | Beside it p50 / p95, ms | Ratio of p95 "
        "| The flood was told | Refused within, p95 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        told = ", ".join(f"{count} × {status or 'connection lost'}" for status, count in sorted(row.statuses.items()))
        lines.append(
            f"| {row.flood} | {row.requests} | {row.alone_p50:.0f} / {row.alone_p95:.0f} "
            f"| {row.beside_p50:.0f} / {row.beside_p95:.0f} | {row.ratio:.1f} | {told} | {row.refused_p95:.0f} |"
        )
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    chosen: list[Any] = [flood for flood in FLOODS if not arguments or flood in arguments]
    rows = [measure(flood) for flood in chosen]
    sys.stdout.write(f"{table(rows)}\n{json.dumps([row.statuses for row in rows])}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
