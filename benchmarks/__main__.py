"""Runs every measurement and writes `docs/benchmarks.md`: make bench (`--quick` for the smaller charts only, `--peers`
for other services installed beside ours, `--memory` for how many requests memory is watched over)."""

from __future__ import annotations

import argparse
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks import instructions, memory
from benchmarks.bodies import CASE, SIZES, body
from benchmarks.instructions import Count
from benchmarks.load import Served, measure_served
from benchmarks.memory import Curve
from benchmarks.paired import Paired, measure_all
from benchmarks.peers import Measured, measure_peers
from benchmarks.peers import table as peers_table
from benchmarks.reads import Reading, measure_reads
from benchmarks.reads import table as reads_table
from benchmarks.start import Start, measure_start

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_PACKAGES = ("orjson", "msgspec", "fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "joserfc", "sqlalchemy")


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--peers", type=Path, help="see benchmarks/peers.py")
    parser.add_argument("--memory", type=int, default=0, metavar="REQUESTS")
    given = parser.parse_args()
    sizes = SIZES[:2] if given.quick else SIZES
    counts = instructions.count(sizes) if instructions.available() is None else []
    text = page(
        counts,
        measure_all(sizes),
        measure_served(),
        measure_start(),
        measure_reads(),
        measure_peers(given.peers, 110) if given.peers else [],
        memory.measure(given.memory) if given.memory else None,
    )
    PAGE.write_text(text, encoding="utf-8")
    print(text)


def page(
    counts: list[Count],
    paired: list[Paired],
    served: list[Served],
    start: Start,
    reads: list[Reading],
    peers: list[Measured],
    curve: Curve | None,
) -> str:
    parts = [_INTRODUCTION, _machine(), "\n## Instructions\n"]
    parts.append(_instructions(counts) if counts else f"Not counted: {instructions.available()}.\n")
    parts += ["\n## CPU time\n", _paired(paired), "\n## Over a socket\n", _served(served), "\n## Start and memory\n"]
    parts += [_start(start), _memory(curve) if curve else "", "\n## Read from a FHIR server\n", _reads(reads)]
    parts += ["\n## Beside other services\n", _peers(peers) if peers else "Not run: none was installed here.\n"]
    parts.append(_GOALS)
    return "\n".join(parts)


_INTRODUCTION = f"""# Benchmarks

Written by `make bench`. What a whole patient-view request costs, against `orjson.loads` of its body in the same run:
the ASGI application in this process, production profile, signed token, database in a file, the real rules and cards.
Every answer is checked for its content; a fast wrong answer fails.

The charts are sampled from the public Synthea charts of `tests/data/public` by a hash of their ids (the same mix at
every size) and given to one patient; "silent" has no connective tissue disease, "detection" holds the published case
`{CASE}` and gets its detection card with all suggestions.
`benchmarks/bodies.py` makes them, byte for byte the same everywhere.
"""


_GOALS = """
## Goals

Wanted: 10 resources at most 5 times `orjson.loads`, 100 at most 1.2, 1,000 and 5,000 at most 0.8; import at most twice
`import fastapi`, ready within 1.5 s, at most 150 MB with one worker; reads at most 1.6 times depth x latency. Not
reached. What stands in the way of a patient with a disease: the rules run in Python, some 4,400 function calls for an
assessment and 7,900 for the card with its question; the words about the lesions are read, with the rest of the
published case some 6,900 calls; a long chart is decoded whole and walked for repeated keys (two to three parses) and
read resource by resource, some 60 calls for a measurement and 170 to 350 for a report, procedure or prescription. Of
every patient: a token is verified and spent, and the evaluation stored. At start: SQLAlchemy, cryptography and the
schemas of the knowledge are imported, and the lexicons compiled anew each time.
"""


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    cores = sum(line.startswith("processor") for line in lines)
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    sizes = ", ".join(f"{size}: {len(body('silent', size).content):,} bytes" for size in SIZES)
    return (
        f"Machine: {cores} cores, {model}, {platform.system()} {platform.release()}, CPython "
        f"{platform.python_version()}; shared with other jobs. {packages}. Measured {date.today().isoformat()}.\n\n"  # noqa: DTZ011
        f"Bodies: {sizes}.\n"
    )


def _instructions(counts: list[Count]) -> str:
    """The primary figure."""
    lines = [
        "Counted by cachegrind (`python -m benchmarks.instructions`), `PYTHONHASHSEED=0`, millions a call, the",
        "difference of two runs; repeatable to about 0.2 %.\n",
        "| Patient | Resources | Request | `orjson.loads` | Ratio |",
        "|---|---|---|---|---|",
    ]
    requests = {(c.who, c.resources): c.instructions for c in counts if c.what == "request"}
    parses = {(c.who, c.resources): c.instructions for c in counts if c.what == "parse"}
    for (who, size), found in requests.items():
        parse = parses[who, size]
        lines.append(f"| {who} | {size:,} | {found / 1e6:,.2f} | {parse / 1e6:,.2f} | {found / parse:.2f} |")
    for who in ("silent", "detection"):
        if (who, 5000) in requests and (who, 1000) in requests:
            growth = requests[who, 5000] / requests[who, 1000]
            lines.append(f"\n{who}: instructions(5,000) / instructions(1,000) = {growth:.2f}.")
    return "\n".join(lines) + "\n"


def _paired(rows: list[Paired]) -> str:
    lines = [
        "Pairs of one request and one parse, order swapped (`python -m benchmarks.paired`); median of the pairs'",
        'ratios with quartiles. "First" is the first request of that chart after start-up. "Again" is the chart of the',
        "same patient, opened for the second time and unchanged; the other requests are each about another patient.\n",
        "| Patient | Resources | Pairs | Ratio | Quartiles | Request, ms | Parse, ms | First, ms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines.extend(
        f"| {r.name} | {r.resources:,} | {r.pairs} | {r.ratio:.2f} | {r.low:.2f} to {r.high:.2f} "
        f"| {r.request_ms:.2f} | {r.parse_ms:.3f} | {r.first_ms:.2f} |"
        for r in rows
    )
    return "\n".join(lines) + "\n"


def _served(rows: list[Served]) -> str:
    lines = [
        "For information: uvicorn with one worker and a client in Python share the machine, so that latencies are",
        "pessimistic (`python -m benchmarks.load`). Of large charts eight connections: no more of",
        "one tenant wait for their turn, the ninth is told to come again (503).\n",
        "| Patient | Resources | Connections | Requests/s | p50, ms | p95, ms | p99, ms |",
        "|---|---|---|---|---|---|---|",
    ]
    lines.extend(
        f"| {r.who} | {r.resources:,} | {r.connections} | {r.per_second:,.0f} "
        f"| {r.p50:.1f} | {r.p95:.1f} | {r.p99:.1f} |"
        for r in rows
    )
    return "\n".join(lines) + "\n"


def _start(start: Start) -> str:
    return (
        f"Importing the application costs {start.import_ms:.0f} ms of CPU, {start.import_ms / start.fastapi_ms:.1f} "
        f"times `import fastapi` ({start.fastapi_ms:.0f} ms). From the start of the process to the first answer of "
        f"`/readyz`: {start.ready_ms:.0f} ms, {start.first_ready_ms:.0f} ms when the database is still to be made. "
        f"Resident size with one worker: {start.resident_mb:.0f} MB after start, "
        f"{start.grown_mb:.0f} MB more after {start.requests:,} requests of 100 resources.\n"
    )


def _memory(curve: Curve) -> str:
    shown = curve.points[:: max(len(curve.points) // 10, 1)]
    sizes = ", ".join(f"{number:,}: {size:.0f}" for number, size in shown)
    return (
        f"\nMemory over {curve.points[-1][0]:,} requests (`make bench-memory`), megabytes by requests: {sizes}. "
        f"The last fifth holds {curve.growth:.3f} times what the fifth before it does; the most is {curve.most:.0f} MB."
        " The service is a process of its own, one worker, called over sockets.\n"
    )


def _reads(rows: list[Reading]) -> str:
    return (
        "No prefetch, and a FHIR server (the sandbox's, in a process of its own) that waits 50 ms before every answer\n"
        "(`python -m benchmarks.reads`). All searches begin at once; depth counts them as one, and every further page\n"
        "that waits for the one before it. Pages are as long as they are asked for (1,000 Observations), or hold 200,\n"
        "the most that one large vendor gives, with links that say in which place they begin, or with opaque ones.\n\n"
        + reads_table(rows)
    )


def _peers(rows: list[Measured]) -> str:
    return (
        "The same 90 resources, one request after another, each server in a process of its own, CPU as the system\n"
        "accounts it (`python -m benchmarks.peers`). No peer does our work: none has these rules, none here checks a\n"
        "token or keeps what it answered, and the quickest reads a single name.\n\n" + peers_table(rows)
    )


if __name__ == "__main__":
    main()
