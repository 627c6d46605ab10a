"""The service where a test client would not do: on a real loopback port in a thread (bytes, time, sockets), or as the
process that an operator starts (signals, logs, databases)."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

_START_SECONDS = 120
"""a start takes one or two; machines that build are busy."""


@contextmanager
def listening(app: Any, **options: Any) -> Iterator[str]:
    """Serves an ASGI application; gives its base URL and stops it at the end. `options` are uvicorn's (TLS)."""
    settings = {"host": "127.0.0.1", "port": 0, "access_log": False, "log_config": None, "server_header": False}
    config = uvicorn.Config(app, **{**settings, **options})
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server ended before it listened"
        time.sleep(0.01)
    try:
        yield f"{'https' if config.is_ssl else 'http'}://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
    assert not thread.is_alive(), "the server did not stop"


def free_port() -> int:
    """A loopback port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(*arguments: str) -> list[str]:
    """The command line of the program as it is installed, to be run with these arguments."""
    return [str(Path(sys.executable).with_name("cds-service")), *arguments]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process with these settings of the service and no others."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("CDS_")}, **settings}


@dataclass(frozen=True, slots=True)
class Served:
    """A running `cds-service serve`; what it prints is in stdout.log and stderr.log of its folder."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr.log").read_text(encoding="utf-8", errors="replace")

    def stop(self, seconds: float = 20) -> int:
        """SIGTERM; the exit code. Kills it when it has not ended by then."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        finally:
            self.process.kill()


def started(folder: Path, settings: Mapping[str, str], port: int | None = None, more: Sequence[str] = ()) -> Served:
    """Starts the command with these settings and waits until it listens. `more`: further arguments of `serve`."""
    port = port or free_port()
    command = program("serve", "--port", str(port), *more)
    with (folder / "stdout.log").open("ab") as out, (folder / "stderr.log").open("ab") as err:
        process = subprocess.Popen(command, env=environment(settings), cwd=folder, stdout=out, stderr=err)
    served = Served(process, port, folder)
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, served.stderr
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return served
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the service did not listen")


@contextmanager
def serving(folder: Path, settings: Mapping[str, str], port: int | None = None) -> Iterator[Served]:
    """`started`, and killed at the end where it still runs."""
    served = started(folder, settings, port)
    try:
        yield served
    finally:
        served.process.kill()
        served.process.wait(10)
