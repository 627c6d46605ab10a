"""Names that are spelt letter by letter ("S.L.E."), looked for in plain bytes, with markup between the letters or not.

To look for them takes five times as long as for all other names, so that a text is asked for them only where one of
their letters stands by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from mappings.plainbytes import lone_pairs
from mappings.scanner import Scanner

Letters = tuple[str, ...]
"""a name as the lexicons part it, full stops too"""

BEFORE = r"(?:[^A-Za-z]|\\[bfnrt])"
AFTER = r"[^A-Za-z0-9_]"
"""what stands before and behind a word"""
_BETWEEN = r"(?:[ .'_-]|\\[bfnrt])"
"""between the letters of "S.L.E.": full stops, and what is no word of a text at all; new lines stand in JSON as
escapes, and in attachments they were made blanks"""
_SIGNS_BEFORE = (*(re.escape(sign) for sign in " .'_->;"), *(rf"\\{sign}" for sign in "bfnrt"))
_SIGNS_BEHIND = tuple(re.escape(sign) for sign in " .'_-\\<&")
"""what of all this, and of markup, stands beside a letter"""
_SIGN = re.compile(r"[A-Za-z0-9]+")
_FEWEST = 3
_LONE = 0
"""the number of the pattern of a letter by itself before markup"""


def is_spelt(path: Sequence[str]) -> bool:
    """Whether a name is spelt letter by letter."""
    return len(path) >= _FEWEST and all(len(word) == 1 for word in path)


def spaced(name: Letters) -> str:
    """The pattern of letters one by one ("C.R.E.S.T."): none of them tells anything but in its place."""
    return f"{BEFORE}(?i:{f'{_BETWEEN}+'.join(_signs(name))}){AFTER}"


class SpeltNames:
    """The compiled patterns of some names. Safe between threads."""

    def __init__(self, names: Iterable[Letters]) -> None:
        every = sorted({tuple(_signs(name)) for name in names})
        self.patterns = tuple(spaced(name) for name in every)
        """what is found, in the order of the numbers"""
        self.signs = _signs_of(every)
        """patterns of which one stands wherever one of the names does, with markup in it or not; quick to look for."""
        self._pairs = frozenset("".join(pair).encode() for name in every for pair in pairwise(name))
        """two letters of a name: with markup between them no pattern finds it"""
        self._scanner = Scanner([_lone(self._pairs), *self.patterns])
        self._asking = Scanner(sorted({_asking(name) for name in every}))

    def found(self, texts: Sequence[bytes]) -> set[int] | None:
        """The numbers of the names that stand in texts in which the sign was found; None where only a real reading can
        tell."""
        hits: set[int] = set()
        for text in texts:
            if self._asking.found(text):
                hits |= self._scanner.found(text)
        if _LONE in hits and not self._pairs.isdisjoint(frozenset().union(*map(lone_pairs, texts))):
            return None
        return {number - 1 for number in hits if number != _LONE}


def _signs(name: Letters) -> list[str]:
    return [word for word in name if _SIGN.fullmatch(word)]


def _lone(pairs: Iterable[bytes]) -> str:
    """The pattern of the first letter of a pair, by itself before markup."""
    letters = "".join(sorted({pair[:1].decode() for pair in pairs}))
    return f"{BEFORE}(?i:[{letters}]){_BETWEEN}*[<&]"


def _signs_of(names: Iterable[Letters]) -> list[str]:
    """The second letter of each name by itself, with each sign that may stand on either side: three signs are looked
    for several times as fast as a letter between two classes of signs."""
    letters = sorted({second for _, second, *_ in names})
    return [f"{one}(?i:{letter}){other}" for one in _SIGNS_BEFORE for letter in letters for other in _SIGNS_BEHIND]


def _asking(name: Letters) -> str:
    """The second letter by itself, and behind it the third or one more sign: it is not the French article."""
    _, second, third, *_ = name
    behind = f"[<&]|{_BETWEEN}(?:{_BETWEEN}|[<&]|(?i:{third})[^A-Za-z0-9])"
    return f"(?:{_BETWEEN}|[>;])(?i:{second})(?:{behind})"
