"""Many patterns looked for at once in bytes: Hyperscan behind two functions, safe between threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any


class Scanner:
    """A set of compiled patterns, known by their numbers."""

    def __init__(self, patterns: Sequence[str], *, numbers: Sequence[int] | None = None, once: bool = True) -> None:
        """`numbers`: of the patterns, which may share one; else they are counted from 0 on. `once`: report each number
        once for a text, however often its patterns stand there. hyperscan.error for a pattern that is none."""
        import hyperscan  # a large library: patterns are compiled while the service is answering already

        flag = hyperscan.HS_FLAG_SINGLEMATCH if once else 0
        self._database: Any = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[pattern.encode("ascii") for pattern in patterns],
            ids=list(numbers if numbers is not None else range(len(patterns))),
            elements=len(patterns),
            flags=[flag] * len(patterns),
        )
        self._lock = threading.Lock()

    def __getstate__(self) -> bytes:
        import hyperscan

        return hyperscan.dumpb(self._database)

    def __setstate__(self, compiled: bytes) -> None:
        """hyperscan.error for patterns compiled on a processor that can do more, or by another version."""
        import hyperscan

        self._database = hyperscan.loadb(compiled, hyperscan.HS_MODE_BLOCK)
        self._database.scratch = hyperscan.Scratch(self._database)
        self._lock = threading.Lock()

    def found(self, data: bytes) -> set[int]:
        """The numbers of the patterns that stand in the bytes."""
        hits: set[int] = set()
        with self._lock:  # the scratch space of a database belongs to one scan at a time
            self._database.scan(data, match_event_handler=_note, context=hits)
        return hits

    def ends(self, data: bytes) -> list[int]:
        """Where matches end, in order."""
        ends: list[int] = []
        with self._lock:
            self._database.scan(data, match_event_handler=_end, context=ends)
        return ends


def _note(number: int, start: int, end: int, flags: int, hits: set[int]) -> None:
    hits.add(number)


def _end(number: int, start: int, end: int, flags: int, ends: list[int]) -> None:
    ends.append(end)
