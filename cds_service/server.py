"""Serving: uvicorn with our settings; loopback by default."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from cds_service.app import create_app
from cds_service.logs import configure_logging, silence_tracebacks
from cds_service.ports import check_address
from cds_service.settings import Settings, check_environment, check_production, check_serving, load_settings

_SWITCH_SECONDS = 0.0001
"""how long the event loop waits at most for a thread that reads a heavy chart; Python's own 5 ms would be waited at
every piece that comes over a socket."""
_SHUTDOWN_SECONDS = 10
"""requests in flight may end; the deadline of a request is far below."""


def serve(host: str = "127.0.0.1", port: int = 8080, workers: int = 1) -> None:
    """Runs until stopped; SIGTERM ends it with exit code 0 once what is in flight is answered. Raises SettingsError,
    KnowledgeError or CodelistError before anything is bound."""
    import uvicorn  # a server that has imported us need not be imported

    from cds_service.request_heads import RequestHeads

    settings = _checked()
    check_serving(settings, workers)
    check_address(host, port)
    configure_logging(settings.log_level)
    silence_tracebacks()
    # uvicorn answers what is in flight and then raises the signal once more, which would make an orderly stop look
    # like a crash to whoever started us
    signal.signal(signal.SIGTERM, _ended)
    options = {
        "host": host,
        "port": port,
        "http": RequestHeads,
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "timeout_graceful_shutdown": _SHUTDOWN_SECONDS,
    }
    if workers > 1:
        uvicorn.run("cds_service.server:application", factory=True, workers=workers, **options)  # type: ignore[arg-type]
    else:
        uvicorn.run(application(), **options)  # type: ignore[arg-type]


def application() -> object:
    """The application of the environment's settings (also `uvicorn --factory cds_service.server:application`)."""
    settings = _checked()
    check_serving(settings, 1)
    configure_logging(settings.log_level)
    silence_tracebacks()
    sys.setswitchinterval(_SWITCH_SECONDS)
    return create_app(settings)


def _checked() -> Settings:
    settings = load_settings()
    if not settings.sandbox:
        check_environment(os.environ)
    check_production(settings)
    return settings


def _ended(signum: int, frame: FrameType | None) -> None:
    sys.exit(0)
