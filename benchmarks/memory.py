"""Whether memory stays flat: many requests to the service in this process, its resident size as they go by.

    make bench-memory            (or python -m benchmarks.memory [--requests 100000])

Small charts of both kinds take turns, each request about another patient and with a token of its own, as in service:
evaluations are stored, tokens spent, what said nothing is remembered. Fails when the last fifth of the requests holds
more than 2 % over the fifth before it."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bodies, service
from benchmarks.start import resident
from cds_service.pipeline import load_brain

_POINTS = 50
_ALLOWED = 1.02


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


def measure(requests: int, size: int = 10) -> Curve:
    """Resident size at fifty moments, the first before any request."""
    pairs = [bodies.body(who, size) for who in ("silent", "silent", "silent", "detection")]
    points = []
    with tempfile.TemporaryDirectory() as folder:
        serving = service.Service(Path(folder), load_brain(bodies.AS_OF))
        bodies.forget()
        every = max(requests // _POINTS, 1)
        for number in range(requests):
            if number % every == 0:
                points.append((number, resident()))
            wanted = pairs[number % len(pairs)]
            service.checked(serving, wanted, number, service.token(number, "ES384"))
        points.append((requests, resident()))
        serving.stop()
    return Curve(tuple(points))


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.memory")
    parser.add_argument("--requests", type=int, default=100_000)
    curve = measure(parser.parse_args().requests)
    for number, size in curve.points:
        sys.stdout.write(f"{number:>8,} {size:7.1f} MB\n")
    sys.stdout.write(f"last fifth over the one before: {curve.growth:.4f}\n")
    if curve.growth > _ALLOWED:
        sys.exit("memory grows")


if __name__ == "__main__":
    main()
