"""Structured logs by allow-list: only these fields ever leave the process, whatever else a record carries."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import msgspec

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


def configure_logging(level: int = logging.INFO) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("cds_service").setLevel(level)
