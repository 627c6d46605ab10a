"""What starting costs: importing, being ready, and the memory of one worker before and after requests.

As an installed service starts: with its bytecode compiled (an environment that forbids writing it would have every
import compile our sources anew), without the packages that only tests and tools bring along, and on a database that an
earlier start has made."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

_REPEATS = 5
WITHOUT_TOOLS = "import sys; sys.modules.update(dict.fromkeys(('rich', 'pygments')))"
"""httpx and mako look for what only tests and tools bring along."""
_REQUESTS = 2000


@dataclass(frozen=True, slots=True)
class Start:
    fastapi_ms: float
    import_ms: float
    ready_ms: float
    first_ready_ms: float
    """with a database that is still to be made"""
    resident_mb: float
    """of the worker once it is ready"""
    grown_mb: float
    """what so many requests add, in the process of the benchmark"""
    requests: int


def measure_start(requests: int = _REQUESTS) -> Start:
    before, after = _memory(requests)
    with tempfile.TemporaryDirectory() as folder:
        _python("-c", "import cds_service.server", compiled=Path(folder))
        first = min(_ready(Path(folder), f"first-{number}")[0] for number in range(3))
        again = [_ready(Path(folder), "first-0") for _ in range(3)]
        return Start(
            min(_import("fastapi", Path(folder)) for _ in range(_REPEATS)),
            min(_import("cds_service.server", Path(folder)) for _ in range(_REPEATS)),
            min(ms for ms, _ in again),
            first,
            min(size for _, size in again),
            after - before,
            requests,
        )


def _import(module: str, compiled: Path) -> float:
    """Milliseconds of CPU to import a module in a fresh interpreter."""
    timed = f"import time; t = time.process_time(); import {module}; print((time.process_time() - t) * 1000)"
    code = f"{WITHOUT_TOOLS}; {timed}"
    return float(_python("-c", code, compiled=compiled))


def program(*arguments: str) -> list[str]:
    """The command line of `cds-service` with these arguments, as where only the service is installed."""
    return [sys.executable, "-c", f"{WITHOUT_TOOLS}; from cds_service.cli import main; sys.exit(main())", *arguments]


def compiled_environment(compiled: Path) -> dict[str, str]:
    """The environment of a process that keeps its bytecode in this folder."""
    found = os.environ | {"PYTHONPYCACHEPREFIX": str(compiled / "bytecode")}
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    return found


def _ready(folder: Path, database: str) -> tuple[float, float]:
    """Milliseconds from the start of `cds-service serve` to the first good answer of its readiness check, and the
    megabytes it holds then."""
    port = 18000 + os.getpid() % 1000
    environment = compiled_environment(folder) | {
        "CDS_PROFILE": "sandbox",
        "CDS_DATABASE_URL": f"sqlite:///{folder}/{database}.sqlite3",
    }
    begun = time.perf_counter()
    command = program("serve", "--port", str(port))
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while time.perf_counter() - begun < 60:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
                    if answer.status == 200:
                        return (time.perf_counter() - begun) * 1000, resident(process.pid)
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.01)
        raise TimeoutError
    finally:
        process.terminate()
        process.wait(10)


def _memory(requests: int) -> tuple[float, float]:
    """Megabytes resident after start-up, and after so many requests (half of them with a card)."""
    found = json.loads(_python("-m", "benchmarks.start", "memory", str(requests)))
    return found["start"], found["after"]


def _python(*arguments: str, compiled: Path | None = None) -> str:
    environment = compiled_environment(compiled) if compiled else None
    found = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True, env=environment)
    return found.stdout


def resident(process: int | str = "self") -> float:
    """Megabytes of a process, by default this one."""
    fields = Path(f"/proc/{process}/statm").read_text().split()
    return int(fields[1]) * resource.getpagesize() / 1e6


def _send(requests: int) -> dict[str, float]:
    """In a process of its own: the service, and requests of a chart of a hundred resources."""
    from benchmarks import bodies, service
    from cds_service.pipeline import load_brain

    silent, detection = (bodies.body(who, 100) for who in ("silent", "detection"))
    bodies.forget()
    with tempfile.TemporaryDirectory() as folder:
        serving = service.Service(Path(folder), load_brain(bodies.AS_OF))
        start = resident()
        for number in range(requests):
            service.checked(serving, detection if number % 2 else silent, number, service.token(number))
        serving.stop()
        return {"start": start, "after": resident()}


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        print(json.dumps(_send(int(sys.argv[2]))))
    else:
        print(measure_start())
