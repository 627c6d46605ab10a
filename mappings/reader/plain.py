"""Chart text without its markup: XHTML narratives and RTF comments as plain words, for reading only."""

from __future__ import annotations

import re

from mappings.text.markup import plain
from mappings.text.rtf import without_rtf

_AS_TYPED = re.compile(r"<pre[\s>]", re.IGNORECASE)
_TAG = re.compile(r"<[^>]{0,500}>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&nbsp;": " ", "&#160;": " "}


def lines_of(markup: str) -> str:
    """Text of an HTML document: paragraphs, list items, rows and cells of tables keep their bounds, so that a denial in
    one says nothing of the next. Its own line breaks are blanks, as in every browser."""
    flowing = markup if _AS_TYPED.search(markup) else " ".join(markup.split())
    lines = (" ".join(line.split()) for line in plain(flowing).split("\n"))
    return "\n".join(line for line in lines if line)


def plain_text(markup: str) -> str:
    """A title out of an XHTML narrative: one line, tags out."""
    found = _TAG.sub(" ", markup)
    for entity, character in _ENTITIES.items():
        found = found.replace(entity, character)
    return " ".join(found.split())


def lines_of_rtf(text: str) -> str:
    """The words of an RTF document, paragraphs kept apart."""
    lines = (" ".join(line.split()) for line in without_rtf(text).split("\n"))
    return "\n".join(line for line in lines if line)
