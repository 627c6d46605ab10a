"""A plus sign behind the name of a test that is positive or negative: "Ro+/La+", "HBcAb +"."""

from __future__ import annotations

from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.vocabulary import Hit

_PLUS = "+"
_ENDS = frozenset(" \t\n,;.)/|")


def plus_behind(document: Document, hit: Hit) -> Hit | None:
    """The sign as a result word; None where there is none, or where it joins two tests ("Ro + La negative")."""
    if hit.value not in load_common().signed or document.word(hit.last) != _PLUS:
        return None
    last = hit.last
    while document.word(last) == _PLUS:
        last += 1
    words = document.words
    behind = words.text[words.ends[last - 1] : words.ends[last - 1] + 1]
    attached = words.starts[hit.last] == words.ends[hit.last - 1]
    closes = not words.text[words.ends[last - 1] :].strip() or behind in _ENDS - {" ", "\t"}
    if not closes and not (attached and behind in _ENDS):
        return None
    return Hit("word", "positive", hit.last, last)
