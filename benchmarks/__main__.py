"""Measures, and puts what came out into the tables of `docs/benchmarks.md`: make bench. Its prose is written by hand.

    python -m benchmarks [PART ...] [--quick] [--peers FOLDER] [--memory REQUESTS]

Parts: instructions, cpu, socket, start, reads, peers, memory; by default all that needs nothing more. `--quick`: the
smaller charts only. `--peers`: other services installed beside ours (benchmarks/peers.py). `--memory`: over how many
requests memory is watched."""

from __future__ import annotations

import argparse
import platform
import re
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks import instructions, memory
from benchmarks.bodies import SIZES, body
from benchmarks.load import measure_served
from benchmarks.paired import measure_all
from benchmarks.peers import measure_peers
from benchmarks.peers import table as peers_table
from benchmarks.reads import measure_reads
from benchmarks.reads import table as reads_table
from benchmarks.start import measure_start

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_PACKAGES = ("orjson", "msgspec", "fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "joserfc", "sqlalchemy")
_PEER_REQUESTS = 110


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--memory", type=int, default=0, metavar="REQUESTS")
    given = parser.parse_args()
    sizes = SIZES[:2] if given.quick else SIZES
    measured: dict[str, tuple[str, Callable[[], str]]] = {
        "instructions": ("Instructions", lambda: _instructions(sizes)),
        "cpu": ("CPU time", lambda: _paired(sizes)),
        "socket": ("Over a socket", _served),
        "start": ("Start", _start),
        "reads": ("Read from a FHIR server", lambda: reads_table(measure_reads())),
    }
    if given.peers:
        table = lambda: peers_table(measure_peers(given.peers, _PEER_REQUESTS))  # noqa: E731
        measured["peers"] = ("Beside other services", table)
    if given.memory:
        measured["memory"] = ("Memory", lambda: _memory(given.memory))
    if instructions.available() is not None:
        print(f"instructions are not counted: {instructions.available()}")
        del measured["instructions"]
    unknown = set(given.parts) - measured.keys()
    if unknown:
        parser.error(f"no such part here: {', '.join(sorted(unknown))}")
    for part in given.parts or measured:
        heading, measure = measured[part]
        found = f"{measure()}\n{_when()}\n"
        print(f"## {heading}\n\n{found}")
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), heading, found), encoding="utf-8")


def with_table(page: str, heading: str, table: str) -> str:
    """The page with another table below this heading, and what it says of when it was measured. ValueError when there
    is none to replace."""
    found = re.compile(rf"(^## {re.escape(heading)}$(?:\n(?!## |\|).*)*\n)((?:\|.*\n)+)(?:\n+Measured .*\n)?", re.M)
    if not found.search(page):
        raise ValueError(f"no table below {heading!r}")
    return found.sub(lambda match: match[1] + table, page, count=1)


def _when() -> str:
    """The machine and the packages that a table holds for."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    cores = sum(line.startswith("processor") for line in lines)
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"Measured {date.today().isoformat()}: {cores} cores, {model}, {platform.system()} {platform.release()}, "  # noqa: DTZ011
        f"CPython {platform.python_version()}, {packages}."
    )


def _instructions(sizes: tuple[int, ...]) -> str:
    counts = instructions.count(sizes)
    requests = {(c.who, c.resources): c.instructions for c in counts if c.what == "request"}
    parses = {(c.who, c.resources): c.instructions for c in counts if c.what == "parse"}
    return _table(
        ("Patient", "Resources", "Bytes", "Request", "`orjson.loads`", "Ratio"),
        *(
            (
                who,
                f"{size:,}",
                f"{len(body(who, size).content):,}",
                f"{found / 1e6:,.2f}",
                f"{parses[who, size] / 1e6:,.2f}",
                f"{found / parses[who, size]:.2f}",
            )
            for (who, size), found in requests.items()
        ),
    )


def _paired(sizes: tuple[int, ...]) -> str:
    return _table(
        ("Patient", "Resources", "Pairs", "Ratio", "Quartiles", "Request, ms", "Parse, ms", "First, ms"),
        *(
            (
                r.name,
                f"{r.resources:,}",
                str(r.pairs),
                f"{r.ratio:.2f}",
                f"{r.low:.2f} to {r.high:.2f}",
                f"{r.request_ms:.2f}",
                f"{r.parse_ms:.3f}",
                f"{r.first_ms:.2f}",
            )
            for r in measure_all(sizes)
        ),
    )


def _served() -> str:
    return _table(
        ("Patient", "Resources", "Connections", "Requests/s", "p50, ms", "p95, ms", "p99, ms"),
        *(
            (
                r.who,
                f"{r.resources:,}",
                str(r.connections),
                f"{r.per_second:,.0f}",
                *(f"{ms:.1f}" for ms in (r.p50, r.p95, r.p99)),
            )
            for r in measure_served()
        ),
    )


def _start() -> str:
    found = measure_start()
    rows = [
        ("Import, CPU", f"{found.import_ms:.0f} ms", f"{found.import_ms / found.fastapi_ms:.2f} of `import fastapi`"),
        ("To the first good `/readyz`", f"{found.ready_ms:.0f} ms", f"{found.first_ready_ms:.0f} ms the first time"),
        (
            "Resident then",
            f"{found.resident_mb:.0f} MB",
            f"{found.grown_mb:.0f} MB more after {found.requests:,} calls",
        ),
    ]
    if instructions.available() is None:
        ours, theirs = instructions.of_import("cds_service.server"), instructions.of_import("fastapi")
        said = f"{ours / theirs:.2f} of `import fastapi` ({theirs / 1e6:,.0f})"
        rows.insert(0, ("Import, millions of instructions", f"{ours / 1e6:,.0f}", said))
    return _table(("What", "Figure", "Beside"), *rows)


def _memory(requests: int) -> str:
    curve = memory.measure(requests)
    shown = curve.points[:: max(len(curve.points) // 10, 1)]
    return _table(
        ("Requests", *(f"{number:,}" for number, _ in shown), "most", "last fifth over the one before"),
        ("MB", *(f"{size:.0f}" for _, size in shown), f"{curve.most:.0f}", f"{curve.growth:.3f}"),
    )


def _table(head: tuple[str, ...], *rows: tuple[str, ...]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    main()
