"""The patterns of `prescan_patterns.py` as a matcher of many finds them most quickly.

It goes by three signs in a row: what has fewer (two letters between classes of signs, a code with blanks in it) makes
the scan of every chart up to three times as long. Such a pattern is written as several, each with more signs told."""

from __future__ import annotations

import re

from mappings.prescan_patterns import CODE_BEFORE
from mappings.spelt import AFTER, BEFORE

_BEHIND = tuple(re.escape(chr(code)) for code in range(1, 128) if re.match(AFTER, chr(code)))
"""what may stand behind a word, sign by sign; no JSON holds a zero byte"""
_ROUGHLY_BEFORE = "[^A-Zac-eg-mo-qsu-z]"
"""what `BEFORE` ends in, in one sign"""
_PAIR = re.compile(rf"{re.escape(BEFORE)}([A-Za-z]{{2}}|\(\?i:[a-z]{{2}}\)){re.escape(AFTER)}")
_BLANKS = "[ ]*"
_CODE = re.compile(rf"{re.escape(CODE_BEFORE)}\(\?i:(.+{re.escape(_BLANKS)}.+)\)")


def quickest(pattern: str) -> list[str]:
    """Patterns of which one is found wherever the pattern is, and seldom elsewhere."""
    if pair := _PAIR.fullmatch(pattern):
        return [f"{_ROUGHLY_BEFORE}{pair[1]}{behind}" for behind in _BEHIND]
    if code := _CODE.fullmatch(pattern):
        one, two, rest = code[1].split(_BLANKS, 2)
        return [f"{CODE_BEFORE}(?i:{signs})" for signs in (f"{one}{two}[{rest[0]} ]", f"{one}[ ]+{two}")]
    return [pattern]
