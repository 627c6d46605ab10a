"""RTF as words: whole documents, and what a system left of one when it cut the text out ("\\par Hard nodule")."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"\\'(?P<hex>[0-9A-Fa-f]{2})|\\u(?P<code>-?\d{1,6}) ?\??|\\(?P<word>[A-Za-z]{1,32})(?:-?\d{1,10})? ?"
    r"|\\(?P<sign>[^A-Za-z0-9])|(?P<brace>[{}])|(?P<feed>[\r\n]+)"
)
_BREAKS = frozenset({"par", "line", "sect", "page", "row", "pard"})
_BLANKS = {"tab": " ", "emdash": " ", "endash": " ", "cell": " | "}
_UNSEEN = frozenset({
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "generator", "listtable",
    "listoverridetable", "rsidtbl", "themedata", "xmlnstbl", "datastore", "latentstyles", "filetbl",
})  # fmt: skip
_SIGNS = {"~": " ", "_": "-", "{": "{", "}": "}", "\\": "\\", "-": "", "*": "", "\n": "\n", "\r": ""}


def is_rtf(text: str) -> bool:
    """Whether a text is an RTF document as a whole."""
    return text.lstrip()[:5] == "{\\rtf"


def without_rtf(text: str) -> str:
    """The words of RTF, or of what is left of it: control words go, breaks and characters stay. Linear."""
    whole = "{\\rtf" in text[:200]
    out: list[str] = []
    hidden = [False]
    """of each group that is open: whether it is none of the text"""
    at = 0
    for token in _TOKEN.finditer(text):
        if not hidden[-1]:
            out.append(text[at : token.start()])
        at = token.end()
        if token["brace"]:
            _turn(hidden, token["brace"])
            if not whole:
                out.append(token["brace"])
        elif whole and (token["word"] in _UNSEEN or token["sign"] == "*"):
            hidden[-1] = True
        elif not hidden[-1]:
            out.append(_said(token, whole))
    if not hidden[-1]:
        out.append(text[at:])
    return "".join(out)


def _turn(hidden: list[bool], brace: str) -> None:
    if brace == "{":
        hidden.append(hidden[-1])
    elif len(hidden) > 1:
        hidden.pop()


def _said(token: re.Match[str], whole: bool) -> str:
    """What stands for a token in the text."""
    if token["word"]:
        return "\n" if token["word"] in _BREAKS else _BLANKS.get(token["word"], "")
    if token["hex"]:
        return bytes.fromhex(token["hex"]).decode("cp1252", "replace")
    if token["code"]:
        code = int(token["code"]) % 65536
        return chr(code) if code and not 0xD800 <= code < 0xE000 else " "
    if token["feed"]:
        return " " if whole else token["feed"]
    sign: str = token["sign"]
    return _SIGNS.get(sign, sign if whole else f"\\{sign}")
