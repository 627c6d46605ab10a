"""The yardstick of the long run: what counts as flat, and the run itself in short (make long)."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.soak.watch import MEASURES, MOST_SLOPE, PAST, Watch, flatness, total

_MIB = 1024 * 1024


def curve(a_minute: float, noise: float = 1.0) -> tuple[list[float], list[float]]:
    """Twenty minutes of samples around 200 MiB that grow by so many MiB a minute."""
    draw = random.Random(1)
    at = [5.0 * n for n in range(240)]
    return at, [(200 + a_minute * x / 60 + draw.uniform(-noise, noise)) * _MIB for x in at]


def test_noise_is_flat_and_a_leak_is_not() -> None:
    assert flatness(*curve(0)).flat
    assert not flatness(*curve(0.5)).flat
    assert flatness(*curve(0.5)).slope == pytest.approx(30 * _MIB, rel=0.05)
    assert not flatness(*curve(-0.5, noise=50)).flat, "a peak of a quarter above the level is too high"
    assert flatness(*curve(0.1)).slope < MOST_SLOPE


def test_a_count_that_creeps_up_is_seen_and_one_that_swings_is_not() -> None:
    watch = Watch()
    for n in range(90):
        text = "\n".join(f"{name} 5.0" for name in MEASURES if name not in ("process_open_fds", "cds_event_loop_tasks"))
        watch.sample(float(n), f"{text}\nprocess_open_fds {n}\ncds_event_loop_tasks {n % 7}", in_force=(n, 9))
    assert watch.grows("files")
    assert not watch.grows("tasks")
    tokens, sessions = PAST
    assert watch.values[tokens][:7] == [5, 4, 3, 2, 1, 0, 0], "five are remembered, so many more than were made"
    assert not any(watch.values[sessions])


def test_live_objects_are_told_by_their_quietest_moments() -> None:
    watch = Watch()
    for n in range(90):
        least = 800_000 + (n // 60) * 5_000
        text = "\n".join(f"{name} 5.0" for name in MEASURES if name != "cds_live_blocks")
        watch.sample(float(n), f"{text}\ncds_live_blocks {least + 100_000 * (n % 5)}", in_force=(9, 9))
    assert watch.ends("live blocks") == (800_000, 1_205_000)
    assert watch.live() == [800_000, 805_000, 805_000, 805_000]


def test_counters_are_added_over_their_labels() -> None:
    assert total('x_total{a="1"} 2.0\nx_total{a="2"} 3.0\ny_total 9\n', "x_total") == 5


@pytest.mark.long
def test_short_run(tmp_path: Path) -> None:
    """Forty seconds of everything: right answers, an orderly stop, nothing lost. Memory needs the real run."""
    from tests.soak.__main__ import soak

    found = asyncio.run(soak(40, tmp_path.resolve()))
    tally = found["tally"]
    assert tally.wrong == []
    assert tally.total > 20
    assert found["stop"]["clean"], found["stop"]
    assert found["restart"]["clean"], found["restart"]
