"""The sandbox as a process of its own, and the demo: the service and the sandbox side by side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, date, datetime
from types import FrameType

import uvicorn

from cds_service.errors import SettingsError
from cds_service.ports import check_address

_START_SECONDS = 60


def today() -> date:
    """`CDS_AS_OF` when set (a fixed day keeps the published cases new), else the current day in UTC."""
    fixed = os.environ.get("CDS_AS_OF", "").strip()
    if not fixed:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(fixed)
    except ValueError:
        raise SystemExit("CDS_AS_OF is not a date (YYYY-MM-DD)") from None


def run(
    *,
    host: str = "127.0.0.1",
    port: int = 8081,
    service_url: str = "http://127.0.0.1:8080",
    fhir_url: str | None = None,
    database: str = ":memory:",
    background: bool = True,
) -> None:
    """Loads the charts for today and serves until interrupted. Data live in memory unless a file is named."""
    from cds_service.sandbox.app import SandboxSettings, sandbox_app
    from cds_service.sandbox.content import load_all
    from cds_service.sandbox.store import Store

    check_address(host, port)
    day = today()
    store = Store(database)
    load_all(store, day, background=background)
    app = sandbox_app(store, SandboxSettings(service_url.rstrip("/"), day, fhir_url.rstrip("/") if fhir_url else None))
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)


def demo(*, port: int = 8080, say: Callable[[str], None] = lambda text: None) -> int:
    """Starts the sandbox on the next free port and then the service on `port`, says the URLs, and waits. Whoever sees
    the service up may fire a hook at once: the charts are there by then.

    Ends on Ctrl-C or SIGTERM (0), or when either process ends by itself (1). `say` prints a line."""
    if not _free(port):
        say(f"port {port} is in use; choose another: make demo PORT=8090")
        return 1
    sandbox_port = next((p for p in range(port + 1, port + 50) if _free(p)), 0)
    service_url, page_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{sandbox_port}"
    environment = {**os.environ, "CDS_PROFILE": "sandbox"}
    environment.setdefault("CDS_PUBLIC_URL", service_url)
    environment.setdefault("CDS_SANDBOX_URL", page_url)
    command = [sys.executable, "-c", "import sys; from cds_service.cli import main; sys.exit(main())"]
    sandbox = ["sandbox", "--port", str(sandbox_port), "--service-url", service_url]
    waited_for = ((sandbox, f"{page_url}/fhir/metadata"), (["serve", "--port", str(port)], f"{service_url}/healthz"))
    processes: list[subprocess.Popen[bytes]] = []
    asked_to_stop = False

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal asked_to_stop
        asked_to_stop = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        for arguments, url in waited_for:
            processes.append(subprocess.Popen([*command, *arguments], env=environment))  # noqa: S603 - our own command
            ready = _wait_for(url, processes, lambda: asked_to_stop)
            if not ready:
                break
        if ready:
            say(f"service   {service_url}/cds-services")
            say(f"FHIR R4   {page_url}/fhir")
            say(f"EHR page  {page_url}/   <- open this, choose a patient, fire the hook")
            say("Ctrl-C ends both.")
        while ready and not asked_to_stop and all(process.poll() is None for process in processes):
            time.sleep(0.2)
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
        for process in processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
    return 0 if asked_to_stop else 1


def _wait_for(url: str, processes: list[subprocess.Popen[bytes]], stopped: Callable[[], bool]) -> bool:
    """True once the URL answers 200; False when a process ended, on a stop, or after a minute."""
    deadline = time.monotonic() + _START_SECONDS
    while not stopped() and all(process.poll() is None for process in processes) and time.monotonic() < deadline:
        if _answers(url):
            return True
        time.sleep(0.1)
    return False


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback URL
            return bool(answer.status == 200)
    except OSError:
        return False


def _free(port: int) -> bool:
    try:
        check_address("127.0.0.1", port)
    except SettingsError:
        return False
    return True
