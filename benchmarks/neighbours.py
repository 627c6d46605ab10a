"""What a tenant notices of a flooding neighbour: its latency with and without the flood, over real sockets.

The service is the command `cds-service serve` in the production profile, one worker; the flood comes from a process of
its own. The quiet tenant asks about one small chart every so often, phases with and without the flood take turns, and
every answer of it is checked. `python -m benchmarks.neighbours` prints the table of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from joserfc import jwt
from joserfc.jwk import ECKey

from benchmarks.bodies import body
from benchmarks.service import BASE, PATH, check
from tests.serving import serving

Flood = Literal["large charts", "small charts", "bodies that never end", "tokens of nobody"]
FLOODS: tuple[Flood, ...] = ("large charts", "small charts", "bodies that never end", "tokens of nobody")
_CONNECTIONS = {"large charts": 32, "small charts": 32, "bodies that never end": 300, "tokens of nobody": 32}
_HOST = "127.0.0.1"
_ROUNDS = 3
_QUIET = 40
_PAUSE = 0.1
_KEYS = {name: ECKey.generate_key("P-384", {"kid": name}) for name in ("quiet", "noisy", "nobody")}


class Latency(NamedTuple):
    """Of the quiet tenant, in milliseconds."""

    p50: float
    p95: float

    @classmethod
    def of(cls, found: list[float]) -> Latency:
        cuts = statistics.quantiles(found, n=20)
        return cls(cuts[9], cuts[18])

    def __str__(self) -> str:
        return f"{self.p50:.0f} / {self.p95:.0f}"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The quiet tenant without a flood, while another process of the service is flooded (which takes as much of the
    machine), and while its own is; what the flood was told there, by status, and how late at the worst."""

    flood: Flood
    connections: int
    requests: int
    alone: Latency
    elsewhere: Latency
    beside: Latency
    statuses: dict[int, int]
    refused_p95: float

    @property
    def ratio(self) -> float:
        """What the process shares and the machine does not: beside the flood, to the same flood elsewhere."""
        return self.beside.p95 / self.elsewhere.p95


def bearer(name: str) -> str:
    now = int(time.time())
    claims = {"iss": f"https://{name}.example.org", "aud": BASE + PATH, "iat": now, "exp": now + 300}
    key = _KEYS[name]
    head = {"alg": "ES384", "kid": key.kid, "typ": "JWT"}
    return jwt.encode(head, claims | {"jti": str(uuid.uuid4())}, key, algorithms=["ES384"])


@contextmanager
def service() -> Iterator[int]:
    """The port of the service as a process, with two tenants."""
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
        settings = {
            "CDS_TENANTS_FILE": str(file),
            "CDS_PUBLIC_URL": BASE,
            "CDS_DATABASE_URL": f"sqlite:///{folder}/cds.sqlite3",
        }
        with serving(Path(folder), settings) as served:
            yield served.port


async def post(port: int, token: str, content: bytes) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    reader, writer = await asyncio.open_connection(_HOST, port)
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


def measure(flood: Flood, connections: int, rounds: int = _ROUNDS, requests: int = _QUIET) -> Neighbours:
    """The three phases take turns, so that the machine's other work falls on all."""
    wanted = body("silent", 100)
    found: dict[str, list[float]] = {"alone": [], "elsewhere": [], "beside": []}
    with service() as port, service() as other:
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.Process(target=_flood, args=(flood, connections, port, theirs), daemon=True)
        process.start()
        for each in (port, other):
            asyncio.run(_quiet(each, wanted.content, 5))
        for _ in range(rounds):
            for phase, flooded in (("alone", None), ("elsewhere", other), ("beside", port)):
                if flooded is not None:
                    ours.send(flooded)
                    time.sleep(1.0)
                found[phase] += asyncio.run(_quiet(port, wanted.content, requests))
                if flooded is not None:
                    ours.send("off")
                    ours.recv()
        ours.send("end")
        statuses, refused = ours.recv()
        process.join(20)
    worst = statistics.quantiles(refused, n=20)[18] if len(refused) > 1 else 0.0
    alone, elsewhere, beside = (Latency.of(latencies) for latencies in found.values())
    return Neighbours(flood, connections, len(found["beside"]), alone, elsewhere, beside, statuses, worst)


async def _quiet(port: int, content: bytes, requests: int) -> list[float]:
    latencies = []
    for _ in range(requests):
        token = bearer("quiet")
        begun = time.perf_counter()
        status, answer = await post(port, token, content)
        latencies.append((time.perf_counter() - begun) * 1000)
        assert status == 200, (status, answer[:200])
        check("silent", answer)
        await asyncio.sleep(_PAUSE)
    return latencies


def _flood(flood: Flood, connections: int, ours: int, pipe: Connection) -> None:
    """The noisy tenant's process: as fast as it can at the port that it is sent, until it is told to be off. What it
    is told counts where it floods the service of the quiet tenant."""
    statuses: Counter[int] = Counter()
    refused: list[float] = []
    content = body("silent", 100 if flood == "small charts" else 5000).content
    while (port := pipe.recv()) != "end":
        told: tuple[Counter[int], list[float]] = (statuses, refused) if port == ours else (Counter(), [])
        asyncio.run(_noise(flood, connections, port, content, pipe, *told))
        pipe.send("off")
    pipe.send((dict(statuses), refused))


async def _noise(
    flood: Flood, connections: int, port: int, content: bytes, pipe: Connection,
    statuses: Counter[int], refused: list[float],
) -> None:  # fmt: skip
    async def connection() -> None:
        while True:
            begun = time.perf_counter()
            try:
                if flood == "bodies that never end":
                    await _never_ends(port)
                    continue
                name = "nobody" if flood == "tokens of nobody" else "noisy"
                status, _ = await post(port, bearer(name), content)
            except (OSError, asyncio.IncompleteReadError):
                statuses[0] += 1
                await asyncio.sleep(0.05)
                continue
            statuses[status] += 1
            if status != 200:
                refused.append((time.perf_counter() - begun) * 1000)

    tasks = [asyncio.create_task(connection()) for _ in range(connections)]
    while not pipe.poll():
        await asyncio.sleep(0.05)
    pipe.recv()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _never_ends(port: int) -> None:
    reader, writer = await asyncio.open_connection(_HOST, port)
    try:
        writer.write(_head(bearer("noisy"), 100_000) + b"{")
        await reader.read(1)
        await asyncio.sleep(0.2)
    finally:
        writer.close()


def table(rows: list[Neighbours]) -> str:
    lines = [
        "| The neighbour floods with | Connections | Requests | Alone p50 / p95, ms | Another process is flooded, ms "
        "| Its own is, ms | Ratio of p95 | The flood was told | Refused within, p95 ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        told = ", ".join(f"{count} × {status or 'connection lost'}" for status, count in sorted(row.statuses.items()))
        lines.append(
            f"| {row.flood} | {row.connections} | {row.requests} | {row.alone} | {row.elsewhere} | {row.beside} "
            f"| {row.ratio:.1f} | {told} | {row.refused_p95:.0f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.neighbours", description=__doc__)
    parser.add_argument("--flood", choices=FLOODS, action="append", help="default: all of them")
    parser.add_argument("--connections", type=int, action="append", help="default: as many as each flood has")
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--requests", type=int, default=_QUIET, help="of the quiet tenant in each phase")
    given = parser.parse_args(arguments)
    rows = [
        measure(flood, connections, given.rounds, given.requests)
        for flood in given.flood or FLOODS
        for connections in given.connections or (_CONNECTIONS[flood],)
    ]
    sys.stdout.write(f"{table(rows)}\n")


if __name__ == "__main__":
    main()
