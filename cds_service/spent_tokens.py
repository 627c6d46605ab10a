"""Names of tokens that can't be repeated any more, packed: they are held until only the store could let them in."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque

_GENERATION_SECONDS = 30
_MOST = 50_000
"""of a generation"""
_LOOSE = 1024
"""names that wait to be packed with the others, where each takes eight bytes: in a set it takes a hundred"""


class SpentTokens:
    """Numbers of eight bytes. They come in generations, and the oldest generation goes as a whole."""

    def __init__(self, seconds: int) -> None:
        """`seconds`: how long each is held at least."""
        self._packed: deque[array[int]] = deque([array("Q")], 1 + -(-seconds // _GENERATION_SECONDS))
        """in order, the newest generation first"""
        self._loose: set[int] = set()
        self._begun = 0.0

    def __len__(self) -> int:
        return len(self._loose) + sum(map(len, self._packed))

    def __contains__(self, name: int) -> bool:
        if name in self._loose:
            return True
        for packed in self._packed:
            at = bisect_left(packed, name)
            if at < len(packed) and packed[at] == name:
                return True
        return False

    def add(self, name: int) -> None:
        self._loose.add(name)
        if len(self._loose) >= _LOOSE:
            self._pack()

    def tidy(self, now: float) -> None:
        """Begins a new generation when the newest is old or full; the oldest goes."""
        old = min(int((now - self._begun) // _GENERATION_SECONDS), self._packed.maxlen or 1)
        for _ in range(old or len(self._packed[0]) >= _MOST):
            self._pack()
            self._packed.appendleft(array("Q"))
            self._begun = now

    def _pack(self) -> None:
        if self._loose:
            self._packed[0] = array("Q", sorted([*self._packed[0], *self._loose]))
            self._loose = set()
