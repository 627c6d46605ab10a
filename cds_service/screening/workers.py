"""What the worker processes do: scan a unit, gather its lines, decide a batch of charts. Each has a brain of its own,
shared with its siblings where the system can fork."""

from __future__ import annotations

import gc
import hashlib
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from cds_service.pipeline import Brain, load_brain
from cds_service.screening.decide import decide
from cds_service.screening.gather import gather
from cds_service.screening.rows import DecisionRow
from cds_service.screening.scan import Scanned, Scanner
from cds_service.screening.sources import Unit
from mappings.bundles import NotJsonError, decode
from mappings.codelists import OverlayText
from mappings.facts import Completeness, Need
from mappings.raw import Resource


class Setup(msgspec.Struct):
    """What every worker needs from the start."""

    overlay: OverlayText | None
    secret: bytes
    days: list[date]


class Decided(msgspec.Struct):
    """One patient's rows, one for each day asked for. `digest` names the chart and all that the rows depend on."""

    id: str
    digest: str
    rows: list[DecisionRow]


class Batch(msgspec.Struct):
    """Charts to decide: (patient, lines) each."""

    charts: list[tuple[str, list[bytes]]]
    out: str


class _Here:
    """The tools of this process."""

    brain: Brain | None = None
    scanner: Scanner | None = None
    setup: Setup | None = None
    counters: Any = None
    known: ClassVar[dict[str, bytes]] = {}
    """rows of an earlier run by digest, in a forked worker."""


def open_pool(setup: Setup, workers: int, known: dict[str, bytes]) -> tuple[ProcessPoolExecutor, Any]:
    """The pool, its processes started, and (lines, bytes) that they have scanned so far."""
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    counters = context.Array("Q", 2)
    if method == "fork":  # loaded once, seen by all
        _start(setup, counters)
        _Here.known = known
        gc.collect()
        gc.freeze()
    pool = ProcessPoolExecutor(workers, context, initializer=_start, initargs=(setup, counters))
    for future in [pool.submit(_ready) for _ in range(workers)]:
        future.result()
    return pool, counters


def _start(setup: Setup, counters: Any) -> None:
    before, _Here.setup, _Here.counters = _Here.setup, setup, counters
    if _Here.brain is None or before is None or before.overlay != setup.overlay:
        _Here.brain = load_brain(None, setup.overlay)
        _Here.brain.prescan.prepare()
        _Here.scanner = Scanner(_Here.brain.may_concern)
    gc.set_threshold(100_000, 50, 100)


def _ready() -> None:
    return None


def scan_unit(unit: Unit, out: str) -> Scanned:
    counters, scanner = _Here.counters, _Here.scanner
    assert scanner is not None  # noqa: S101 - set when the process started

    def progress(lines: int, size: int) -> None:
        with counters.get_lock():
            counters[0] += lines
            counters[1] += size

    return scanner.scan(unit, Path(out), progress)


def gather_unit(unit: Unit, picked: str, out: str) -> None:
    gather(unit, Path(picked), Path(out))


def decide_batch(batch: Batch, completeness: dict[Need, Completeness], versions: str) -> list[int]:
    """Writes the batch's rows to its file, whole or not at all. Gives [charts, charts taken over from before]."""
    setup, brain = _Here.setup, _Here.brain
    assert setup is not None and brain is not None  # noqa: S101 - set when the process started
    lines: list[bytes] = []
    reused = 0
    for patient, chart in batch.charts:
        name = digest_of(patient, chart, versions)
        known = _Here.known.get(name)
        if known is None:
            resources = _decoded(chart)
            rows = [
                decide(patient, resources, as_of=day, brain=brain, secret=setup.secret, completeness=completeness)
                for day in setup.days
            ]
            known = msgspec.json.encode(Decided(patient, name, rows), order="deterministic")
        else:
            reused += 1
        lines.append(known)
    out = Path(batch.out)
    partly = out.with_name(out.name + ".part")
    partly.write_bytes(b"".join(line + b"\n" for line in lines))
    partly.replace(out)
    return [len(batch.charts), reused]


def digest_of(patient: str, chart: Sequence[bytes], versions: str) -> str:
    """A name for a chart, whichever file each line came from, and for what its rows depend on besides."""
    content = hashlib.blake2b(f"{versions}\0{patient}\0".encode(), digest_size=16)
    for line in sorted(set(chart)):
        content.update(hashlib.blake2b(line, digest_size=16).digest())
    return content.hexdigest()


def _decoded(chart: Sequence[bytes]) -> list[bytes | Resource]:
    """Decoded once for all days; what can't be is left for `decide` to name."""
    out: list[bytes | Resource] = []
    for line in chart:
        try:
            out.append(decode(line))
        except NotJsonError:
            out.append(line)
    return out
