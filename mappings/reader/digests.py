"""What is remembered from chart to chart, for the life of the process: by digest, never by words.

No chart text stays here. What does is 16 bytes that mean nothing without a key, which is random, of this
process, and never leaves it, and beside them our own ids."""

from __future__ import annotations

from typing import Generic, TypeVar

Meaning = TypeVar("Meaning")


class ByDigest(Generic[Meaning]):
    """Meanings by digest; the older half is forgotten when there are too many. Safe between threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[bytes, Meaning] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, digest: bytes | None) -> bool:
        return digest in self._known

    def get(self, digest: bytes) -> Meaning | None:
        return self._known.get(digest)

    def keep(self, digest: bytes, meaning: Meaning) -> None:
        if len(self._known) >= self._most:
            self._known = dict(list(self._known.items())[self._most // 2 :])
        self._known[digest] = meaning
