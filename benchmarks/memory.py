"""Whether memory stays flat: many requests to `cds-service serve` in a process of its own, its resident size meanwhile.

    make bench-memory            (or python -m benchmarks.memory [--requests 100000])

The command as it is installed, one worker in production profile with a database in a file, over real sockets, four
connections that stay open. Small charts of both kinds take turns, each request about another patient and with a token
of its own, as in service: evaluations are stored, tokens spent, what said nothing is remembered. Every answer is
checked; where the service is too busy (503) it is asked again. Fails when the last fifth of the requests holds more
than 2 % over the fifth before it, or more than 150 MB."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from benchmarks import bodies, service
from benchmarks.load import ToldToWaitError, answer_of, request_of
from benchmarks.start import compiled_environment, program, resident
from tests.serving import free_port

_POINTS = 50
_ALLOWED = 1.02
_MOST = 150.0
"""megabytes"""
_CONNECTIONS = 4
_START_SECONDS = 120
_ATTEMPTS = 60


@dataclass(frozen=True, slots=True)
class Curve:
    """Megabytes after so many requests."""

    points: tuple[tuple[int, float], ...]

    @property
    def growth(self) -> float:
        """The median of the last fifth over that of the fifth before it."""
        sizes = [size for _, size in self.points]
        fifth = max(len(sizes) // 5, 1)
        return statistics.median(sizes[-fifth:]) / statistics.median(sizes[-2 * fifth : -fifth])

    @property
    def most(self) -> float:
        return max(size for _, size in self.points)


def measure(requests: int, size: int = 10, told: Callable[[int, float], None] = lambda *_: None) -> Curve:
    """Resident size at fifty moments, the first before any request; `told` of each as it comes."""
    wanted = [bodies.body(who, size, datetime.now(UTC).date()) for who in ("silent", "silent", "silent", "detection")]
    points: list[tuple[int, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        with _worker(Path(folder)):
            pass
        with _worker(Path(folder)) as (port, process):

            def note(number: int) -> None:
                points.append((number, resident(process)))
                told(*points[-1])

            asyncio.run(_driven(port, requests, wanted, note))
    return Curve(tuple(points))


async def _driven(port: int, requests: int, wanted: list[bodies.Body], note: Callable[[int], None]) -> None:
    """Requests one after another on each connection, their numbers in common."""
    numbers, every = count(), max(requests // _POINTS, 1)

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            if number >= requests:
                break
            if number % every == 0:
                note(number)
            body = wanted[number % len(wanted)]
            sent = body.of_patient(number)
            for attempt in range(_ATTEMPTS):
                writer.write(request_of(sent, service.token(requests * attempt + number, "ES384")))
                try:
                    service.check(body.who, await answer_of(reader))
                    break
                except ToldToWaitError:  # a busy machine: the store took more than a second
                    await asyncio.sleep(1)
            else:
                raise TimeoutError
        writer.close()

    await asyncio.gather(*(connection() for _ in range(_CONNECTIONS)))
    note(requests)


@contextmanager
def _worker(folder: Path) -> Iterator[tuple[int, int]]:
    """Port and process of a service that is ready, on the bytecode and the database of an earlier start if there was
    one."""
    given, port = service.settings(folder), free_port()
    settings = {
        "CDS_PROFILE": given.profile,
        "CDS_TENANTS_FILE": str(given.tenants_file),
        "CDS_PUBLIC_URL": str(given.public_url),
        "CDS_DATABASE_URL": given.database_url,
        "CDS_MAX_PER_MINUTE_PER_TENANT": "1000000",
        "CDS_LOG_LEVEL": "WARNING",
    }
    inherited = {name: value for name, value in compiled_environment(folder).items() if not name.startswith("CDS_")}
    process = subprocess.Popen(program("serve", "--port", str(port)), env=inherited | settings, cwd=folder)
    try:
        _wait(f"http://127.0.0.1:{port}/readyz", process)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, f"ended with code {process.returncode} before it listened"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own service
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise TimeoutError


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.memory")
    parser.add_argument("--requests", type=int, default=100_000)

    def told(number: int, size: float) -> None:
        sys.stdout.write(f"{number:>8,} {size:7.1f} MB\n")
        sys.stdout.flush()

    curve = measure(parser.parse_args().requests, told=told)
    sys.stdout.write(f"last fifth over the one before: {curve.growth:.4f}; most: {curve.most:.1f} MB\n")
    if curve.growth > _ALLOWED:
        sys.exit("memory grows")
    if curve.most > _MOST:
        sys.exit(f"more than {_MOST:.0f} MB")


if __name__ == "__main__":
    main()
