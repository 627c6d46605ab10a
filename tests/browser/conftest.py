"""`make demo` as a process, and headless Chromium; browser tests are skipped with a message where there is none."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
AS_OF = "2026-06-01"


class Demo(NamedTuple):
    service: str
    page: str


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """The demo command on a free port, with a fixed day; stopped as Ctrl-C would."""
    port = _free_port()
    environment = {**os.environ, "CDS_AS_OF": AS_OF, "PYTHONUNBUFFERED": "1"}
    command = [str(Path(sys.executable).with_name("cds-service")), "demo", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        page = ""
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("EHR page"):
                page = line.split()[2].rstrip("/")
            if line.startswith("Ctrl-C"):
                break
        assert page, "the demo did not say where its page is"
        service = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{service}/healthz", timeout=5).status_code == 200
        yield Demo(service, page)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=15) == 0, "the demo did not end cleanly on Ctrl-C"
        assert _closed(port), "the service outlived the demo"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no Chromium on this machine (looked for {', '.join(_NAMES)})")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    """The EHR page in a fresh context, 1280 px wide; anything on the console or an uncaught error fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    problems: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            problems.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(demo.page)
    yield page
    context.close()
    assert problems == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _closed(port: int) -> bool:
    for _ in range(50):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return True
        time.sleep(0.1)
    return False
