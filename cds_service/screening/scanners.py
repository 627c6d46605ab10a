"""The processes that scan: started before anything else is loaded than what they look for, and shared by all where the
system can fork."""

from __future__ import annotations

import gc
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from cds_service.prescan_terms import prescan_of
from cds_service.screening.scan import Scanned, Scanner
from cds_service.screening.sources import Unit
from hooks.knowledge import load_knowledge
from mappings.codelists import OverlayText, load_terminology
from mappings.text.engine import TextEngine


class _Here:
    """The tools of this process."""

    scanner: Scanner | None = None
    overlay: OverlayText | None = None
    counters: Any = None


def open_scanners(overlay: OverlayText | None, workers: int) -> tuple[ProcessPoolExecutor, Any]:
    """The pool, its processes started, and (lines, bytes) that they have scanned so far."""
    context = context_here()
    counters = context.Array("Q", 2)
    return start_pool(context, workers, _start, (overlay, counters)), counters


def context_here() -> Any:
    """How processes are started: by a fork where there is one, so that what was loaded is there at once."""
    return multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")


def start_pool(
    context: Any, workers: int, start: Callable[..., None], arguments: tuple[Any, ...]
) -> ProcessPoolExecutor:
    """`start` makes ready the tools of a process, once; a fork finds those of its parent."""
    if context.get_start_method() == "fork":
        start(*arguments)
        gc.collect()
        gc.freeze()
    pool = ProcessPoolExecutor(workers, context, initializer=start, initargs=arguments)
    for future in [pool.submit(_ready) for _ in range(workers)]:
        future.result()
    return pool


def _start(overlay: OverlayText | None, counters: Any) -> None:
    _Here.counters = counters
    gc.set_threshold(100_000, 50, 100)
    if _Here.scanner is not None and _Here.overlay == overlay:
        return
    terminology, text = load_terminology(overlay), TextEngine.load()
    prescan = prescan_of(terminology, text, load_knowledge())
    compiling = threading.Thread(target=prescan.prepare, name="prescan")
    compiling.start()
    # compiling leaves the interpreter free; what is loaded before the fork is loaded once, for all
    import duckdb  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    import cds_service.screening.deciders  # noqa: F401

    compiling.join()
    _Here.scanner, _Here.overlay = Scanner(prescan.may_concern), overlay


def _ready() -> None:
    return None


def scan_unit(unit: Unit, out: str) -> Scanned:
    """Writes the columns of the unit."""
    counters, scanner = _Here.counters, _Here.scanner
    assert scanner is not None  # noqa: S101 - set when the process started

    def progress(lines: int, size: int) -> None:
        with counters.get_lock():
            counters[0] += lines
            counters[1] += size

    return scanner.scan(unit, Path(out), progress)
