"""The gate on speed: fails when a request needs over 3 % more instructions than recorded.

    make bench-gate                          compare with benchmarks/recorded.json
    python -m benchmarks.gate --record       record on purpose; say in the commit why the figure moved

Counts hold for one Python minor version and one set of packages: on another, or without valgrind, the gate is skipped
with a message. `orjson.loads` of the same body is counted with it: when that has moved, the machine or its libraries
have, and the comparison says nothing about us."""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
from pathlib import Path
from typing import Any

from benchmarks import instructions

RECORDED = Path(__file__).with_name("recorded.json")
_LOCK = Path(__file__).parents[1] / "requirements" / "dev.txt"
_SIZES = (10, 100)
_ALLOWED = 0.03
_SAME = 0.01


def here() -> dict[str, str]:
    """What the counts depend on besides our code."""
    minor = ".".join(platform.python_version_tuple()[:2])
    lock = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:16]
    return {"python": f"{platform.python_implementation()} {minor}", "machine": platform.machine(), "lock": lock}


def measured() -> dict[str, dict[str, int]]:
    """ "silent-10" → instructions of a request and of a parse."""
    found: dict[str, dict[str, int]] = {}
    for count in instructions.count(_SIZES):
        found.setdefault(f"{count.who}-{count.resources}", {})[count.what] = count.instructions
    return found


def verdict(before: dict[str, dict[str, int]], now: dict[str, dict[str, int]]) -> tuple[list[str], list[str]]:
    """(failures, lines to show); a ValueError when the parse has moved, so that nothing can be compared."""
    failures, lines = [], []
    for name, recorded in before.items():
        parse = now[name]["parse"] / recorded["parse"] - 1
        if abs(parse) > _SAME:
            raise ValueError(f"{name}: orjson.loads itself needs {parse:+.1%} instructions: another build or machine")
        change = now[name]["request"] / recorded["request"] - 1
        lines.append(f"{name:15} {recorded['request']:>13,} -> {now[name]['request']:>13,}  {change:+.2%}")
        if change > _ALLOWED:
            failures.append(f"{name}: {change:+.1%} instructions, more than {_ALLOWED:.0%}")
    return failures, lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.gate")
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    if (problem := instructions.available()) is not None:
        print(f"skipped: {problem}")
        return
    if given.record:
        RECORDED.write_text(json.dumps({"here": here(), "instructions": measured()}, indent=1) + "\n")
        print(f"recorded in {RECORDED.name}")
        return
    if not RECORDED.exists():
        print("skipped: nothing is recorded yet; python -m benchmarks.gate --record")
        return
    recorded: dict[str, Any] = json.loads(RECORDED.read_text())
    if recorded["here"] != here():
        print(f"skipped: recorded for {recorded['here']}, here is {here()}")
        return
    try:
        failures, lines = verdict(recorded["instructions"], measured())
    except ValueError as error:
        print(f"skipped: {error}")
        return
    print("\n".join(lines))
    if failures:
        sys.exit("\n".join([*failures, "If that is wanted: python -m benchmarks.gate --record"]))


if __name__ == "__main__":
    main()
