"""Structured logs by allow-list: only these fields ever leave the process, whatever else a record carries."""

from __future__ import annotations

import logging
import sys
import threading
from datetime import UTC, datetime

import msgspec

_LOG = logging.getLogger("cds_service")
_ALLOWED = ("route", "method", "status", "ms", "error", "tenant", "reason")
_OURS = ("cds_service", "uvicorn")


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message template (never its arguments), allowed extras."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": str(record.msg)[:200] if record.name.startswith(_OURS) else "-",
        }
        line.update({name: getattr(record, name) for name in _ALLOWED if hasattr(record, name)})
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return msgspec.json.encode(line).decode()


def configure_logging(level: str = "INFO") -> None:
    """Everything to standard error through the one formatter. At DEBUG the libraries speak too, without content."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level if level == "DEBUG" else logging.WARNING)
    logging.getLogger("cds_service").setLevel(level)


def silence_tracebacks() -> None:
    """Warnings, and what Python would print with its message when a thread or the process ends by an exception, go
    through the formatter too."""
    logging.captureWarnings(True)
    sys.excepthook = lambda kind, *_: _ended(kind)
    threading.excepthook = lambda ended: _ended(ended.exc_type)
    sys.unraisablehook = lambda failed: _ended(failed.exc_type)


def _ended(kind: type[BaseException] | None) -> None:
    """The class only: messages of unexpected errors may quote what they stumbled over."""
    if kind is not None and not issubclass(kind, KeyboardInterrupt):
        _LOG.error("unexpected error", extra={"error": kind.__name__})
