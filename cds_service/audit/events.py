"""What is put on the trail, and what a check of it says."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Action = Literal["evaluate", "read", "save", "feedback", "expire", "erase", "export"]


class Event(Struct, frozen=True):
    """One thing that was done. `actor` and `subject` are keyed hashes, `detail` codes: no chart content."""

    at_ms: int
    tenant: str
    action: Action
    what: str
    outcome: str
    actor: str | None = None
    subject: str | None = None
    detail: str = ""


class Verdict(Struct, frozen=True):
    """What a check found: how many rows, the last digest, and what is wrong (the first break), if anything."""

    rows: int
    head: str
    problem: str | None = None
