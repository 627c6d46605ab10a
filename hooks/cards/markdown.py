"""Chart text in Markdown: always data, never markup, never a link."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_\[\]|~#!])")
_SPACE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")


def escape(text: str) -> str:
    """Any text as inert GFM: no markup, no HTML, no automatic link, one line."""
    flat = " ".join(_SPACE.sub(" ", text).split())
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    flat = flat.replace("://", ": //").replace("www.", "www .").replace("@", " (at) ")
    return _SPECIAL.sub(r"\\\1", flat)


def plain(text: str) -> str:
    """Any text as one plain line, for summaries and labels."""
    return " ".join(_SPACE.sub(" ", text).split())


def code(text: str) -> str:
    """A reference as inline code; references hold no backtick."""
    return f"`{_SPACE.sub('', text).replace('`', '')}`"


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, cut at a word, with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:+")
    return f"{cut}…"
