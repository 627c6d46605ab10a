"""Official titles of our codes, and what every code of a title says.

Ten thousand titles are kept as sorted numbers of eight bytes, a thirtieth of the room that they took as text.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from hashlib import blake2b

from mappings.text.folding import fold

_PAID_BY = re.compile(r" \((?:cms[-/ ])?hcc\)$")
"""the mark of a payer's risk category, which US records write behind a title."""
_NOTHING: frozenset[str] = frozenset()


class CodeTitles:
    """Titles as they are looked up: without case, accents and spare blanks."""

    def __init__(self, titles: Mapping[str, frozenset[str]]) -> None:
        said = {_number(title): names for title, names in titles.items() if names}
        self._numbers = array("Q", sorted(said))
        self._meanings = tuple(sorted(set(said.values()), key=sorted))
        place = {names: at for at, names in enumerate(self._meanings)}
        self._which = array("H", (place[said[number]] for number in self._numbers))

    def meaning(self, words: str) -> frozenset[str]:
        """What the codes of this title say; nothing when the words are no title."""
        number = _number(words)
        at = bisect_left(self._numbers, number)
        found = at < len(self._numbers) and self._numbers[at] == number
        return self._meanings[self._which[at]] if found else _NOTHING


def _number(words: str) -> int:
    plain = _PAID_BY.sub("", fold(" ".join(words.split())))
    return int.from_bytes(blake2b(plain.encode(errors="replace"), digest_size=8).digest(), "big")
