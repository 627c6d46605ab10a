"""The processes that gather the lines of the candidates and decide on their charts. They share one brain where the
system can fork."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import ClassVar

import msgspec

from cds_service.pipeline import Brain, load_brain
from cds_service.screening.decide import decide
from cds_service.screening.gather import gather
from cds_service.screening.rows import Decided
from cds_service.screening.scanners import context_here, start_pool
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


class Batch(msgspec.Struct):
    """Charts to decide: (patient, lines) each."""

    charts: list[tuple[str, list[bytes]]]
    out: str


class _Here:
    """The tools of this process."""

    brain: Brain | None = None
    setup: Setup | None = None
    known: ClassVar[dict[str, bytes]] = {}
    """rows of an earlier run by digest, in a forked worker."""


def load(overlay: OverlayText | None) -> Brain:
    """The brain; meant to be done while others scan."""
    if _Here.brain is not None and _Here.setup is not None and _Here.setup.overlay == overlay:
        return _Here.brain
    return load_brain(None, overlay)


def open_deciders(setup: Setup, brain: Brain, workers: int, known: dict[str, bytes]) -> ProcessPoolExecutor:
    """The pool, its processes started. No other thread may be at work: a fork would take its locks along."""
    _Here.brain, _Here.setup, _Here.known = brain, setup, known
    return start_pool(context_here(), workers, _start, (setup,))


def _start(setup: Setup) -> None:
    if _Here.brain is None or _Here.setup is None or _Here.setup.overlay != setup.overlay:
        _Here.brain = load_brain(None, setup.overlay)
    _Here.setup = setup
    gc.set_threshold(100_000, 50, 100)


def gather_unit(unit: Unit, number: int, picked: str, out: str) -> None:
    gather(unit, number, Path(picked), Path(out))


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
