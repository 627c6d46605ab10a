"""Chart text without its markup: XHTML narratives and RTF comments as plain words, for reading only."""

from __future__ import annotations

import re

from mappings.text.markup import plain

_AS_TYPED = re.compile(r"<pre[\s>]", re.IGNORECASE)
_TAG = re.compile(r"<[^>]{0,500}>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&nbsp;": " ", "&#160;": " "}
_RTF_TOKEN = re.compile(
    r"\\u(?P<unicode>-?\d{1,6}) ?\??|\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?"
    r"|\\(?P<symbol>[^a-zA-Z0-9])|(?P<open>\{)|(?P<close>\})|(?P<text>[^\\{}]+)"
)
_NOT_TEXT = frozenset(
    ("fonttbl", "colortbl", "stylesheet", "info", "pict", "header", "footer", "generator", "themedata", "listtable")
)
_BREAKS = frozenset(("par", "line", "cell", "row", "sect", "page", "tab"))


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


def is_rtf(text: str) -> bool:
    return text.lstrip()[:5] == "{\\rtf"


def without_rtf(text: str) -> str:
    """The words of an RTF document, paragraphs kept apart; any other text as it is. Never raises."""
    if not is_rtf(text):
        return text
    parts: list[str] = []
    hidden: list[bool] = [False]
    for token in _RTF_TOKEN.finditer(text):
        if token["open"]:
            hidden.append(hidden[-1])
        elif token["close"]:
            if len(hidden) > 1:
                hidden.pop()
        elif token["symbol"] == "*" or token["word"] in _NOT_TEXT:
            hidden[-1] = True
        elif not hidden[-1]:
            parts.append(_said(token))
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


def _said(token: re.Match[str]) -> str:
    if token["text"] is not None:
        return token["text"].replace("\r", "").replace("\n", "")
    if token["hex"]:
        return bytes.fromhex(token["hex"]).decode("cp1252", errors="replace")
    if token["unicode"]:
        number = int(token["unicode"]) % 65536
        return chr(number) if not 0xD800 <= number <= 0xDFFF else " "
    if token["word"]:
        return "\n" if token["word"] in _BREAKS else ""
    return {"~": " ", "_": "-", "\n": "\n", "\r": ""}.get(token["symbol"] or "", token["symbol"] or "")
