"""Numbers from twenty to ninety-nine that are spelled out: "EF of thirty percent", "FEVG trente-cinq pour cent"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from mappings.text.common import load_common
from mappings.text.document import Document


class _Spelt(NamedTuple):
    tens: Mapping[str, int]
    ones: Mapping[str, int]
    joints: frozenset[str]
    joined: re.Pattern[str]
    """one word for both ("fünfunddreißig")."""


@cache
def _words() -> _Spelt:
    told = load_common().numbers.spelled
    tens, ones = ({word: n for n, words in table.items() for word in words} for table in (told.tens, told.ones))
    joined = rf"({'|'.join(ones)})(?:{'|'.join(told.inside)})({'|'.join(tens)})"
    return _Spelt(tens, ones, frozenset(told.joints), re.compile(joined))


def spelled(document: Document, index: int) -> str | None:
    """The number spelled out at a word, in figures."""
    words = _words()
    word = document.word(index)
    if (whole := words.joined.fullmatch(word)) is not None:
        return str(words.ones[whole[1]] + words.tens[whole[2]])
    if word not in words.tens:
        return None
    after = index + 1 + (document.word(index + 1) in words.joints)
    return str(words.tens[word] + words.ones.get(document.word(after), 0))
