"""A clause between two signs behind a test's name, which the verb of the sentence stands behind: "his pulse, counted by
me over a full minute, was 44", "eGFR (repeated twice) is 24 mL/min"."""

from __future__ import annotations

from mappings.text.common import load_common
from mappings.text.document import Document

_CLOSED_BY = {",": ",", "(": ")", "–": "–", "-": "-", "—": "—"}
_LONGEST = 12
"""words; a longer clause says more than of the test"""


def past_aside(document: Document, at: int, end: int) -> int:
    """The word behind the clause that opens at a word, if a verb that tells a result stands there before `end` (the
    next test, or the end of the sentence); else the word itself."""
    if tells_behind(document, at):
        return at + 1
    closes = _CLOSED_BY.get(document.word(at))
    if closes is None or document.word(at + 1)[0].isdigit():
        return at
    for index in range(at + 2, min(at + 2 + _LONGEST, end - 1)):
        if document.word(index) == closes:
            return index + 1 if document.word(index + 1) in load_common().telling_verbs else at
    return at


def tells_behind(document: Document, at: int) -> bool:
    """Whether a sign closes a clause and such a verb stands behind it: "pulse, resting, was 44"."""
    return document.word(at) in _CLOSED_BY and document.word(at + 1) in load_common().telling_verbs
