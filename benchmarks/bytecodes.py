"""Bytecode instructions of our own packages for one request: a gate that needs no tool and no quiet machine.

    python -m benchmarks.bytecodes             compare with benchmarks/recorded_bytecodes.json
    python -m benchmarks.bytecodes --record    record on purpose; say in the commit why the figure moved

CPython tells a tracer of each instruction that it is about to run. Of the same chart, code and minor version the number
is the same on every machine, so that the suite compares it in every run (`tests/benchmarks/test_bytecodes.py`). What
libraries and C code need is not in it: cachegrind counts that (`benchmarks/gate.py`)."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from benchmarks.bodies import AS_OF, Who, body
from benchmarks.service import Service, checked, token
from cds_service.pipeline import load_brain

RECORDED = Path(__file__).with_name("recorded_bytecodes.json")
ALLOWED = 0.03
SCENARIOS: tuple[tuple[Who, int], ...] = (("silent", 10), ("silent", 100), ("detection", 100))
_OURS = tuple(f"{Path(__file__).parents[1] / name}/" for name in ("cds_service", "hooks", "mappings"))
_NOT_OF_REQUESTS = "store-writer"
"""the thread that writes silent evaluations together, when a quarter of a second is over"""
_WARM, _COUNTED = 2, 3
"""requests before, and those that are counted each by itself. The least counts: what is done once in a while falls into
one of them."""


class Counter:
    """Counts while it is entered, in this thread and in those that begin meanwhile."""

    def __init__(self) -> None:
        self.instructions = 0

    def __enter__(self) -> Self:
        threading.settrace(self._called)
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]  # None ends it, as documented

    def _called(self, frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(_OURS) or threading.current_thread().name == _NOT_OF_REQUESTS:
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        return self._ran

    def _ran(self, frame: FrameType, event: str, argument: object) -> Any:
        self.instructions += event == "opcode"
        return self._ran


def count() -> dict[str, int]:
    """ "silent-10" → instructions of one request, its answer checked."""
    found: dict[str, int] = {}
    brain = load_brain(AS_OF)
    bodies = [body(who, size, sampled=False) for who, size in SCENARIOS]
    with tempfile.TemporaryDirectory() as folder, Counter() as counter:
        service = Service(Path(folder), brain)
        for wanted in bodies:
            each = []
            for number in range(_WARM + _COUNTED):
                before = counter.instructions
                checked(service, wanted, number, token(1000 * len(found) + number))
                each.append(counter.instructions - before)
            found[f"{wanted.who}-{wanted.resources}"] = min(each[_WARM:])
        service.stop()
    return found


def here() -> str:
    """What the instructions of a Python program depend on, besides the program."""
    return f"{platform.python_implementation()} {'.'.join(platform.python_version_tuple()[:2])}"


def over(before: dict[str, int], now: dict[str, int]) -> list[str]:
    """What needs more than is allowed over the recorded figure, each with how much."""
    moved = {name: now[name] / recorded - 1 for name, recorded in before.items()}
    return [f"{name}: {change:+.1%} bytecode instructions" for name, change in moved.items() if change > ALLOWED]


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.bytecodes")
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    if given.record:
        RECORDED.write_text(json.dumps({"python": here(), "instructions": count()}, indent=1) + "\n")
        return
    recorded: dict[str, Any] = json.loads(RECORDED.read_text())
    if recorded["python"] != here():
        print(f"skipped: recorded for {recorded['python']}, here is {here()}")
        return
    now = count()
    for name, before in recorded["instructions"].items():
        print(f"{name:15} {before:>9,} -> {now[name]:>9,}  {now[name] / before - 1:+.2%}")
    if failures := over(recorded["instructions"], now):
        sys.exit("\n".join([*failures, "If that is wanted: python -m benchmarks.bytecodes --record"]))


if __name__ == "__main__":
    main()
