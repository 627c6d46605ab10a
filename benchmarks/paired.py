"""CPU time of a request over the CPU time of `orjson.loads` of the same body, pair by pair, the order swapped.

Neighbours on a shared machine slow both halves of a pair alike, so that the ratio of a pair is steadier than either
time. The collector of cyclic garbage is as the service sets it, for both."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.bodies import AS_OF, SIZES, Body, Who, body
from benchmarks.service import Service, check, checked, token
from cds_service.pipeline import load_brain

_PAIRS = {10: 200, 100: 100, 1000: 40, 5000: 15}
_PARSES = {10: 50, 100: 5, 1000: 1, 5000: 1}
"""parses measured together, where one is too short for the clock."""


@dataclass(frozen=True, slots=True)
class Paired:
    """`ratio` is the median of the pairs; `low` and `high` its quartiles; times in milliseconds of CPU."""

    who: Who
    again: bool
    """whether the chart was opened before, unchanged, by the same user: then it is not read again"""
    resources: int
    bytes: int
    pairs: int
    ratio: float
    low: float
    high: float
    request_ms: float
    parse_ms: float
    first_ms: float
    """the first request of this chart, with everything that is kept between requests still empty."""

    @property
    def name(self) -> str:
        return f"{self.who}, again" if self.again else self.who


def measure(
    who: Who, size: int, service: Service, numbers: Callable[[], int], pairs: int | None = None, *, again: bool = False
) -> Paired:
    wanted = body(who, size)
    pairs = pairs or _PAIRS[size]
    number = numbers()
    bearer = token(number)
    began = time.process_time_ns()
    checked(service, wanted, number, bearer)
    first = _since(began)
    requests, parses = service.loop.run_until_complete(_pairs(service, wanted, pairs, numbers, again))
    ratios = [request / parse for request, parse in zip(requests, parses, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Paired(
        who,
        again,
        wanted.resources,
        len(wanted.content),
        pairs,
        middle,
        low,
        high,
        statistics.median(requests),
        statistics.median(parses),
        first,
    )


async def _pairs(
    service: Service, wanted: Body, pairs: int, numbers: Callable[[], int], again: bool
) -> tuple[list[float], list[float]]:
    """The times of the requests and of the parses beside them."""
    requests, parses = [], []
    for turn in range(pairs):
        number = numbers()
        content, bearer = wanted.of_patient(number), token(number)
        if again:
            await service.answer(content, token(numbers()))
        for request in (turn % 2 == 0, turn % 2 == 1):
            began = time.process_time_ns()
            if request:
                answer = await service.answer(content, bearer)
                requests.append(_since(began))
                check(wanted.who, answer)
            else:
                for _ in range(_PARSES[wanted.resources]):
                    orjson.loads(wanted.content)
                parses.append(_since(began) / _PARSES[wanted.resources])
    return requests, parses


def measure_all(sizes: tuple[int, ...] = SIZES, pairs: int | None = None) -> list[Paired]:
    """Every scenario, in one process, after the start-up of the service."""
    counter = iter(range(10**7))
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), load_brain(AS_OF))
        found = [
            measure(who, size, service, lambda: next(counter), pairs, again=again)
            for who, again in (("silent", False), ("detection", False), ("detection", True))
            for size in sizes
        ]
        service.stop()
    return found


def _since(began: int) -> float:
    """CPU time of the process since then, in milliseconds."""
    return (time.process_time_ns() - began) / 1e6


if __name__ == "__main__":
    import sys

    for row in measure_all(pairs=int(sys.argv[1]) if len(sys.argv) > 1 else None):
        print(
            f"{row.name:16} {row.resources:5} {row.ratio:8.2f} [{row.low:.2f}, {row.high:.2f}] "
            f"request {row.request_ms:9.2f} ms parse {row.parse_ms:8.3f} ms first {row.first_ms:9.2f} ms"
        )
