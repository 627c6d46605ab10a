"""The service on a real loopback port, in a thread: for what a test client would not show (bytes, time, sockets)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


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
