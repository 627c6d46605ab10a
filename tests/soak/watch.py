"""What is measured while it runs, and whether it stayed flat."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from statistics import median

MEASURES = {
    "process_resident_memory_bytes": "memory",
    "process_open_fds": "files",
    "cds_event_loop_tasks": "tasks",
    "cds_store_connections_open": "connections",
    "cds_store_connections_in_use": "connections at work",
    "cds_store_waiting_records": "waiting records",
    "cds_tokens_remembered": "remembered tokens",
    "cds_companion_sessions": "companion sessions",
    "process_cpu_seconds_total": "CPU seconds",
    "cds_live_blocks": "live blocks",
}
PAST = {"tokens past their end": "cds_tokens_remembered", "sessions past their end": "cds_companion_sessions"}
"""what is held longer than it may be, and of which measure"""
_LINE = re.compile(r"^(\w+)(?:\{[^}]*\})? ([0-9.e+-]+)$", re.M)
_MIB = 1024 * 1024
WARM_UP = 1 / 2
"""of the run: in half an hour as long as a session of the companion is held, whose number rises until then."""
MOST_SLOPE = 12 * _MIB
"""bytes an hour: at this rate the 512 MiB that the manifests allow would last a day."""
MOST_RISE = 1.10
"""of the level right after warm-up, that no later sample may exceed."""


@dataclass(slots=True)
class Watch:
    """Samples of /metrics: seconds since the beginning -> value, by measure."""

    at: list[float] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in (*MEASURES.values(), *PAST)})

    def sample(self, at: float, metrics: str, in_force: tuple[int, int]) -> None:
        """`in_force`: how many tokens and sessions the service may have to remember; it should remember no others."""
        found = dict(_LINE.findall(metrics))
        self.at.append(at)
        for (name, measure), most in zip(PAST.items(), in_force, strict=True):
            self.values[name].append(max(0.0, float(found[measure]) - most))
        for name, short in MEASURES.items():
            self.values[short].append(float(found[name]))

    def after_warm_up(self, name: str) -> tuple[list[float], list[float]]:
        """(seconds, values) of the rest of the run."""
        first = next((i for i, at in enumerate(self.at) if at >= self.at[-1] * WARM_UP), 0)
        return self.at[first:], self.values[name][first:]

    def ends(self, name: str) -> tuple[float, float]:
        """The first value after warm-up, and the last."""
        values = self.after_warm_up(name)[1]
        return values[0], values[-1]

    def live(self) -> list[float]:
        """Blocks that live objects take, the least of each quarter after warm-up: what only waits or is being worked at
        is gone in the quietest moment, what leaks is not."""
        _, values = self.after_warm_up("live blocks")
        quarter = max(1, len(values) // 4)
        return [min(values[at : at + quarter]) for at in range(0, 4 * quarter, quarter) if values[at : at + quarter]]

    def memory(self) -> Flatness:
        return flatness(*self.after_warm_up("memory"))

    def grows(self, name: str) -> bool:
        """For counts that go up and down with the load: whether the quietest moments of the last quarter are above
        the busiest of the quarter after the warm-up."""
        _, values = self.after_warm_up(name)
        quarter = max(1, len(values) // 4)
        return min(values[-quarter:]) > max(values[:quarter])


@dataclass(frozen=True, slots=True)
class Flatness:
    """Bytes: the level right after warm-up, the highest later sample, the slope an hour by least squares."""

    level: float
    highest: float
    slope: float

    @property
    def flat(self) -> bool:
        return self.slope < MOST_SLOPE and self.highest <= MOST_RISE * self.level


def flatness(at: list[float], values: list[float]) -> Flatness:
    """Of samples in order; the level is the median of the first tenth."""
    mean_at, mean = sum(at) / len(at), sum(values) / len(values)
    spread = sum((x - mean_at) ** 2 for x in at)
    slope = sum((x - mean_at) * (y - mean) for x, y in zip(at, values, strict=True)) / spread if spread else 0.0
    return Flatness(median(values[: max(1, len(values) // 10)]), max(values), slope * 3600)


def total(metrics: str, name: str) -> float:
    """The sum of a counter over all its labels."""
    return sum(float(v) for v in re.findall(rf"^{name}(?:\{{[^}}]*\}})? ([0-9.e+-]+)$", metrics, re.M))
