"""What starting costs: importing, being ready, and the memory of one worker before and after requests."""

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
_REQUESTS = 2000


@dataclass(frozen=True, slots=True)
class Start:
    fastapi_ms: float
    import_ms: float
    ready_ms: float
    resident_mb: float
    resident_after_mb: float
    requests: int


def measure_start(requests: int = _REQUESTS) -> Start:
    resident, after = _memory(requests)
    return Start(
        min(_import("fastapi") for _ in range(_REPEATS)),
        min(_import("cds_service.server") for _ in range(_REPEATS)),
        min(_ready() for _ in range(3)),
        resident,
        after,
        requests,
    )


def _import(module: str) -> float:
    """Milliseconds of CPU to import a module in a fresh interpreter."""
    code = f"import time; t = time.process_time(); import {module}; print((time.process_time() - t) * 1000)"
    return float(_python("-c", code))


def _ready() -> float:
    """Milliseconds from the start of `cds-service serve` to the first good answer of its readiness check."""
    port = 18000 + os.getpid() % 1000
    environment = os.environ | {"CDS_PROFILE": "sandbox", "CDS_DATABASE_URL": "sqlite://"}
    begun = time.perf_counter()
    command = [str(Path(sys.executable).with_name("cds-service")), "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while time.perf_counter() - begun < 60:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
                    if answer.status == 200:
                        return (time.perf_counter() - begun) * 1000
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


def _python(*arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True).stdout


def _resident() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * resource.getpagesize() / 1e6


def _send(requests: int) -> dict[str, float]:
    """In a process of its own: the service, and requests of a chart of a hundred resources."""
    from benchmarks import bodies, service
    from cds_service.pipeline import load_brain

    silent, detection = (bodies.body(who, 100) for who in ("silent", "detection"))
    bodies._pool.cache_clear()
    with tempfile.TemporaryDirectory() as folder:
        serving = service.Service(Path(folder), load_brain(bodies.AS_OF))
        start = _resident()
        for number in range(requests):
            service.checked(serving, detection if number % 2 else silent, number, service.token(number))
        serving.stop()
        return {"start": start, "after": _resident()}


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        print(json.dumps(_send(int(sys.argv[2]))))
    else:
        print(measure_start())
