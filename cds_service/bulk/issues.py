"""What a server's own error files say: OperationOutcomes, of which only the severities are counted."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import msgspec

UNREADABLE = "unreadable"
_SEVERITIES = frozenset({"fatal", "error", "warning", "information", "success"})


class _Issue(msgspec.Struct):
    severity: str = ""


class _Outcome(msgspec.Struct):
    issue: list[_Issue] = []


def severities(path: Path) -> Counter[str]:
    """How many issues of which severity a file of OperationOutcomes holds; a line that is none is "unreadable"."""
    found: Counter[str] = Counter()
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                issues = msgspec.json.decode(line, type=_Outcome).issue
            except (msgspec.DecodeError, UnicodeDecodeError):
                found[UNREADABLE] += 1
                continue
            found.update(i.severity if i.severity in _SEVERITIES else UNREADABLE for i in issues)
    return found
