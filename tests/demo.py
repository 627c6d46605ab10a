"""`make demo` as a process: the fixture `demo`, shared by the browser tests and the README test."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.serving import free_port

AS_OF = "2026-06-01"


class Demo(NamedTuple):
    service: str
    page: str


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    with running() as found:
        yield found


@contextmanager
def running(**settings: str) -> Iterator[Demo]:
    """The demo command on a free port, with a fixed day and these settings; stopped as Ctrl-C would."""
    port = free_port()
    environment = {**os.environ, "CDS_AS_OF": AS_OF, "PYTHONUNBUFFERED": "1", **settings}
    command = [str(Path(sys.executable).with_name("cds-service")), "demo", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    page = ""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("EHR page"):
            page = line.split()[2].rstrip("/")
        if line.startswith("Ctrl-C"):
            break
    assert page, f"the demo ended with {process.wait(timeout=15)} before it was ready (its own words are on stderr)"
    service = f"http://127.0.0.1:{port}"
    try:
        assert httpx.get(f"{service}/healthz", timeout=5).status_code == 200
        yield Demo(service, page)
    finally:
        process.send_signal(signal.SIGINT)
        ended = process.wait(timeout=15)
    assert ended == 0, "the demo did not end cleanly on Ctrl-C"
    assert _closed(port), "the service outlived the demo"


def _closed(port: int) -> bool:
    for _ in range(50):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return True
        time.sleep(0.1)
    return False
