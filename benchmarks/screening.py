"""Population screening against a bare `orjson` loop over the same files, in the same run: make bench-screen.

Both read every line of one million Observations of 20,000 patients (and their Conditions, Encounters and Patients); the
loop only decodes, the screening ends with the decided worklist on disk. In turn, three times each, so that neighbours
on a shared machine slow both alike. The memory is that of the whole process tree (proportional set size), sampled in a
run of its own: to read it costs a tenth of such a machine."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from benchmarks.export import OBSERVATIONS, PATIENTS, RARE, write

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks-screening.md"
_ROUNDS = 3
_LIMIT_MB = 2048
_AS_OF = "2026-01-01"
_EVERY = 0.1
_MAIN = "import sys; from cds_service.cli import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Round:
    """Wall-clock and CPU seconds of both."""

    loop: float
    loop_cpu: float
    screen: float
    screen_cpu: float

    @property
    def ratio(self) -> float:
        """Throughput of the screening over that of the loop."""
        return self.loop / self.screen


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.screening")
    parser.add_argument("--observations", type=int, default=OBSERVATIONS)
    parser.add_argument("--patients", type=int, default=PATIENTS)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, help="keep the export there, and use it again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-screen-") as temporary:
        folder = given.folder or Path(temporary) / "export"
        if not folder.exists():
            write(folder, given.patients, given.observations)
        files = sorted(folder.glob("*.ndjson"))
        rounds = [measure(files, folder, Path(temporary), given.workers) for _ in range(given.rounds)]
        peak = peak_of(folder, Path(temporary), given.workers)
        lines = sum(file.read_bytes().count(b"\n") for file in files)
        text = page(rounds, peak, files, lines, given)
    if given.observations == OBSERVATIONS:
        PAGE.write_text(text, encoding="utf-8")
    print(text)


def measure(files: list[Path], folder: Path, temporary: Path, workers: int) -> Round:
    loop, loop_cpu = _loop(files)
    before = os.times()
    began = time.perf_counter()
    with _started(folder, temporary, workers) as running:
        running.wait()
    spent = time.perf_counter() - began
    after = os.times()
    _check(running.returncode, json.loads((temporary / "s.json").read_text()))
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Round(loop, loop_cpu, spent, cpu)


def peak_of(folder: Path, temporary: Path, workers: int) -> float:
    """The largest proportional set size of the process tree in a further run, in MB."""
    peak = 0.0
    with _started(folder, temporary, workers) as running:
        while running.poll() is None:
            peak = max(peak, sum(map(_memory, _tree(running.pid))))
            time.sleep(_EVERY)
    assert running.returncode == 0, "the screening failed"
    assert peak < _LIMIT_MB
    return peak


def _started(folder: Path, temporary: Path, workers: int) -> subprocess.Popen[bytes]:
    out, state = temporary / "worklist.parquet", temporary / ".worklist.parquet.state"
    assert not state.exists()
    command = [sys.executable, "-c", _MAIN, "screen", str(folder), "--as-of", _AS_OF]
    command += ["--workers", str(workers), "--out", str(out), "--everyone", "--summary", str(temporary / "s.json")]
    environment = {**os.environ, "CDS_PSEUDONYM_KEY": "a key of the benchmark, of no hospital"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program does not compile its modules at every start
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


def _loop(files: list[Path]) -> tuple[float, float]:
    """Every line decoded, nothing done with it."""
    began, cpu = time.perf_counter(), time.process_time()
    for file in files:
        with file.open("rb") as lines:
            for line in lines:
                orjson.loads(line)
    return time.perf_counter() - began, time.process_time() - cpu


def _tree(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return [pid]
    return [pid, *(below for child in text.split() for below in _tree(int(child)))]


def _memory(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def _check(code: int, summary: dict[str, Any]) -> None:
    """A fast wrong answer must fail."""
    assert code == 0, "the screening failed"
    export = dict(summary["tables"]["export"]["rows"])
    funnel = dict(summary["tables"]["funnel"]["rows"])
    assert export["lines or ends of files lost"] == 0
    assert funnel["patients in the export"] == export["Patient"]
    assert funnel["a word or code of a connective tissue disease"] in (export["Patient"] // RARE, "<11")
    assert funnel["the assessment speaks"] != 0


def page(rounds: list[Round], peak: float, files: list[Path], lines: int, given: argparse.Namespace) -> str:
    size = sum(file.stat().st_size for file in files)
    ratio = statistics.median(r.ratio for r in rounds)
    screen = statistics.median(r.screen for r in rounds)
    goal = "reached" if ratio >= 1 else "not reached"
    cpu = statistics.median(r.screen_cpu / r.loop_cpu for r in rounds)
    rows = "\n".join(
        f"| {r.loop:.1f} | {r.loop_cpu:.1f} | {r.screen:.1f} | {r.screen_cpu:.1f} | {r.ratio:.2f} |" for r in rounds
    )
    packages = ", ".join(f"{name} {version(name)}" for name in ("orjson", "msgspec", "hyperscan", "duckdb", "pyarrow"))
    return f"""# Benchmark of population screening

Written by `make bench-screen`. A synthetic export (`benchmarks/export.py`, the same bytes everywhere):
{given.observations:,} Observations of {given.patients:,} patients, with Conditions, Encounters and Patients {lines:,}
lines, {size / 1e6:,.0f} MB plain NDJSON, in the page cache; one patient in {RARE} has a connective tissue disease.

Throughput of `cds-service screen` (from the start of the process to the worklist and the summary on disk,
{given.workers} workers) over that of a loop that only decodes each line with `orjson`, in the same run:
**{ratio:.2f}** (median of {len(rounds)} rounds; wanted at least 1.0: {goal}). {lines / screen:,.0f} resources and
{given.patients / screen:,.0f} patients a second. CPU time: {cpu:.2f} times that of the loop. Peak memory of the whole
process tree, in a run of its own: **{peak:.0f} MB** (limit {_LIMIT_MB} MB).

| Loop, s | Loop, CPU s | Screening, s | Screening, CPU s | Throughput ratio |
|---|---|---|---|---|
{rows}

Machine: {os.cpu_count()} cores, {platform.system()} {platform.release()}, CPython {platform.python_version()}, load
{os.getloadavg()[0]:.1f} at the end (shared with other jobs). {packages}. Measured {datetime.now(UTC).date()}.
"""


if __name__ == "__main__":
    main()
