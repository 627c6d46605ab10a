"""Text in GitHub Flavored Markdown. Whatever comes from a chart is data: never markup, never HTML, never a link."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"([\\`*_\[\]|~#])")
_LEADING = re.compile(r"^(\d{1,9}(?=[.)](?: |$))|)([-+=]|(?<=\d)[.)])")
_AUTOLINK = re.compile(r"(?i)\b(www)\.|(?<=\w):(?=//)")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
_NOT_REFERENCE = re.compile(r"[^A-Za-z0-9\-._/:]")
_MAX_REFERENCE = 140


_SIGN = re.compile(r"[\\`*_\[\]|~#&<>@]")
_FIRST = re.compile(r"[\d+=-]")


def plain(text: str) -> str:
    """Any text as one plain line: control, bidirectional and zero-width characters gone, blanks joined."""
    if text.isprintable():  # no such character is printable, nor is a blank other than the space
        return " ".join(text.split()) if "  " in text or text[:1] == " " or text[-1:] == " " else text
    return " ".join(_INVISIBLE.sub(" ", text).split())


def escape(text: str) -> str:
    """Any text as one line of inert GFM: no markup, no HTML, no link that makes itself."""
    flat = plain(text)
    if _is_inert(flat):
        return flat
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    flat = _LEADING.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", flat)).replace("@", " at ")
    return _AUTOLINK.sub(lambda match: f"{match[1]} ." if match[1] else " :", flat)


def _is_inert(line: str) -> bool:
    """Whether nothing in a plain line can be markup. Nearly none has any: one pattern for all of it would try each of
    its parts at every letter."""
    return _SIGN.search(line) is None and "://" not in line and not _FIRST.match(line) and "www" not in line.lower()


def code(reference: str) -> str:
    """A resource reference as inline code; characters that no reference has are dropped."""
    return f"`{_NOT_REFERENCE.sub('', reference)[:_MAX_REFERENCE] or '?'}`"


def link(text: str, url: str) -> str:
    return f"[{text}]({url})"


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, cut at a word, with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    whole = cut.rsplit(" ", 1)[0] if " " in cut else cut
    return f"{whole.rstrip(' ,;:+(–')}…"
