"""Instructions per request, counted by valgrind's cachegrind: repeatable where the clock is not.

    python -m benchmarks.instructions [--sizes 10,100] [--out figures.json]

One process under valgrind loads the service and then forks a child for every count; a child inherits the counts so far,
so that two children that differ in the number of requests differ by exactly those requests. Both make the same tokens
and bodies before. The collector of cyclic garbage is off while counting: one pass in the shorter run would shift it.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from benchmarks.bodies import SIZES, Who
from benchmarks.start import WITHOUT_TOOLS, compiled_environment

What = Literal["request", "parse"]
_REPEATS = {10: (5, 105), 100: (3, 43), 1000: (1, 4), 5000: (1, 2)}
"""(fewer, more) calls of the two children, by size, after one call that warms up. What a thread does once a process
can be some million instructions: of a small request many are counted."""
_SUMMARY = re.compile(r"^summary: (\d+)", re.M)


@dataclass(frozen=True, slots=True)
class Count:
    """Instructions of one call."""

    who: Who
    resources: int
    what: What
    instructions: int


def available() -> str | None:
    """Why instructions can't be counted here; None when they can."""
    return None if shutil.which("valgrind") else "valgrind is not installed"


def count(sizes: tuple[int, ...], whos: tuple[Who, ...] = ("silent", "detection")) -> list[Count]:
    """Counts every scenario in a process of its own under valgrind."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = [sys.executable, "-m", "benchmarks.instructions", "--child", str(folder)]
        ours += ["--sizes", ",".join(map(str, sizes)), "--who", ",".join(whos)]
        tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={folder}/%p.out"]
        environment = compiled_environment(folder) | {"PYTHONHASHSEED": "0"}
        subprocess.run(ours, check=True, env=environment)  # so that no child that is counted compiles a module
        subprocess.run([*tool, "--log-file=/dev/null", *ours], check=True, env=environment)
        runs = json.loads((folder / "runs.json").read_text())
        totals = {run["pid"]: _total(folder / f"{run['pid']}.out") for run in runs}
    found = []
    for less, more in zip(runs[::2], runs[1::2], strict=True):
        calls = more["calls"] - less["calls"]
        each = (totals[more["pid"]] - totals[less["pid"]]) // calls
        found.append(Count(less["who"], less["size"], less["what"], each))
    return found


def of_import(module: str) -> int:
    """Instructions of importing a module, without those of an interpreter that imports nothing; as in an installed
    service, bytecode and tables made."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = compiled_environment(folder) | {"PYTHONHASHSEED": "0"}
        counted = []
        for code in (f"import {module}", "pass"):
            command = [sys.executable, "-c", f"{WITHOUT_TOOLS}; {code}"]
            subprocess.run(command, check=True, env=environment)
            out = folder / "import.out"
            tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={out}"]
            subprocess.run([*tool, "--log-file=/dev/null", *command], check=True, env=environment)
            counted.append(_total(out))
    return counted[0] - counted[1]


def _total(file: Path) -> int:
    match = _SUMMARY.search(file.read_text())
    assert match is not None, file
    return int(match[1])


def _child(folder: Path, sizes: tuple[int, ...], whos: tuple[Who, ...]) -> None:
    """Runs under valgrind."""
    from benchmarks import bodies, service
    from cds_service.pipeline import load_brain

    brain = load_brain(bodies.AS_OF)
    brain.prepare()
    service.key("RS384"), service.key("ES384")
    gc.collect()
    gc.disable()
    runs = []
    for who in whos:
        for size in sizes:
            body = bodies.body(who, size)
            for what in ("parse", "request"):
                most = _REPEATS[size][1] + 1
                for calls in _REPEATS[size]:
                    sys.stdout.flush()
                    pid = os.fork()
                    if not pid:
                        _run(folder, brain, body, what, calls + 1, most)
                    _, status = os.waitpid(pid, 0)
                    assert status == 0, (who, size, what)
                    runs.append({"pid": pid, "who": who, "size": size, "what": what, "calls": calls})
    (folder / "runs.json").write_text(json.dumps(runs))


def _run(folder: Path, brain: object, body: object, what: str, calls: int, most: int) -> None:
    """One child: `most` requests are made ready, `calls` are sent. Leaves the process."""
    import orjson

    from benchmarks import service
    from cds_service import async_store, heap

    async_store._WRITE_SECONDS = 600.0  # under valgrind, beside others, a second is soon over
    heap._LOOK_SECONDS = 3600.0  # what is collected once a minute would count as that of a few requests
    status = 1
    try:
        if what == "parse":
            for _ in range(calls):
                orjson.loads(body.content)  # type: ignore[attr-defined]
        else:
            own = Path(tempfile.mkdtemp(dir=folder))
            serving = service.Service(own, brain)  # type: ignore[arg-type]
            serving.app.state.cds.async_store._read_seconds = async_store._WRITE_SECONDS
            gc.disable()
            ready = [(body.of_patient(n), service.token(n)) for n in range(most)]  # type: ignore[attr-defined]
            answers = serving.post(*ready[:calls])
            service.check(body.who, answers[-1])  # type: ignore[attr-defined]
            serving.stop()
            service.check_store(serving)
        status = 0
    finally:
        os._exit(status)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--who", default="silent,detection")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", type=Path)
    given = parser.parse_args()
    sizes = tuple(int(size) for size in given.sizes.split(","))
    whos: tuple[Who, ...] = tuple(given.who.split(","))
    if given.child:
        _child(given.child, sizes, whos)
        return
    if (problem := available()) is not None:
        sys.exit(problem)
    counts = count(sizes, whos)
    for entry in counts:
        print(f"{entry.who:10} {entry.resources:5} {entry.what:8} {entry.instructions:>14,}")
    if given.out:
        given.out.write_text(json.dumps([asdict(entry) for entry in counts], indent=1) + "\n")


if __name__ == "__main__":
    main()
