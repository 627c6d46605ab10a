"""A progress bar with rate and time left, on a terminal only. It shows counts and bytes, never a name."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

_WIDTH = 24
_EVERY = 0.2


class Progress:
    """`whole` is what there is to do in a stage; `clock` is for tests."""

    def __init__(self, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out if out is not None else sys.stderr
        self._clock = clock
        self._on = self._out.isatty()
        self._stage, self._whole, self._unit = "", 0, ""
        self._began = self._shown = clock()
        self._before = 0

    def stage(self, name: str, whole: int, unit: str, done: int = 0) -> None:
        """Begins a stage; `done` of it was done by an earlier run and does not count for the rate."""
        self._stage, self._whole, self._unit, self._before = name, max(whole, 1), unit, done
        self._began = self._clock()
        self._shown = 0.0
        self.show(done)

    def show(self, done: int, note: str = "") -> None:
        now = self._clock()
        if not self._on or now - self._shown < _EVERY:
            return
        self._shown = now
        self._out.write("\r\x1b[K" + self.line(done, now, note))
        self._out.flush()

    def line(self, done: int, now: float, note: str = "") -> str:
        share = min(done / self._whole, 1.0)
        full = int(share * _WIDTH)
        spent = max(now - self._began, 1e-6)
        rate = (done - self._before) / spent
        left = f"{_time((self._whole - done) / rate)} left" if rate > 0 and done < self._whole else ""
        bar = "#" * full + "-" * (_WIDTH - full)
        parts = (f"{self._stage:9s} [{bar}] {share:4.0%}", f"{_short(rate)}{self._unit}/s" if rate else "", note, left)
        return "  ".join(part for part in parts if part)

    def end(self) -> None:
        if self._on:
            self._out.write("\r\x1b[K")
            self._out.flush()


def _short(number: float) -> str:
    for limit, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.1f} {sign}"
    return f"{number:.0f} "


def _time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
