"""What systems leave around the words of a note: RTF, HTML and its entities, HL7 escapes, invisible characters.

`plain` gives the words alone. It is linear in the length, and a text without any of it comes back as it is."""

from __future__ import annotations

import html
import re
from functools import cache

from mappings.text.notation import load_notation
from mappings.text.rtf import without_rtf

_DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE = dict.fromkeys((0x0000, 0x00AD, 0x200B, 0x200C, 0x200D, *range(0x2060, 0x2065), 0xFEFF, *_DIRECTIONS), None)
_SPACES = dict.fromkeys((160, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
_BREAKS = dict.fromkeys((0x0085, 0x2028, 0x2029, 0x000B, 0x000C), "\n")
_DASHES = {0x2010: "-", 0x2011: "-", 0x2212: "-"}
_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_LIGATURES = dict(enumerate(("ff", "fi", "fl", "ffi", "ffl", "st", "st"), start=0xFB00))
_CHARACTERS: dict[int, str | None] = {
    **_INVISIBLE, **_SPACES, **_BREAKS, **_DASHES, **_WIDE, **_LIGATURES, 0x2026: "..."
}  # fmt: skip
_ODD = re.compile("[" + "".join(re.escape(chr(code)) for code in sorted(_CHARACTERS)) + "]")

_SOFT = re.compile("[\u00ac\u00ad][^\\S\n]{0,20}\n\\s{0,80}(?=[^\\W\\d_])")
"""a soft hyphen where it is seen, or the sign that systems show for one: the word goes on in the next line"""

_HL7 = re.compile(r"\\(\.(?:br|sp|fi|nf|in|ti|sk|ce)[+-]?\d{0,3}|[HNFSTRE]|X(?:[0-9A-Fa-f]{2}){1,8})\\")
_HL7_LETTERS = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\"}

_GAP = re.compile(r"(?<=\S) {3,}(?=\S)")
"""the blanks between the columns of a table that a line printer made."""
_OPEN = re.compile(r"\{[^{}\n]{1,160}:\d{2,9}(?:::[^{}\n]{0,80})?\}|(?<![*\w])\*{3}(?![*\w])|(?<!\S)@[A-Z]{2,20}@")
"""a choice, a wildcard or a link of a template that nobody filled in ("{Yes/No:63}", "***", "@NAME@")."""
_READING = re.compile(r"\n[ \t|]*(\d{1,2}/\d{1,2}/\d{2,4})[ \t|:]+")
_BLANK_FIELD = "___"
_TAG = re.compile(
    r"<(?P<name>/?[A-Za-z][A-Za-z0-9:]{0,15})(?:\s+[A-Za-z_:][\w:.-]{0,60}(?:\s?=\s?(?:\"[^\"<]{0,2000}\"|'[^'<]{0,2000}'|[^\s\"'<>]{0,200}))?){0,20}\s?/?>"
)
_HIDDEN = (("<!--", "-->"), ("<script", "</script"), ("<style", "</style"), ("<head>", "</head>"), ("<?", "?>"))
_DECLARATION = re.compile(r"<![A-Za-z][^<>]{0,500}>")
CELLS = frozenset({"td", "th", "/td", "/th"})
_LINES = frozenset({
    "p", "div", "br", "li", "ul", "ol", "tr", "table", "thead", "tbody", "caption", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "paragraph", "item", "list", "section", "title", "dt", "dd", "dl", "content", "pre", "blockquote",
    "article", "header", "footer",
})  # fmt: skip
INLINE = frozenset({
    "b", "i", "u", "em", "strong", "span", "font", "sub", "sup", "a", "small", "big", "tt", "code", "a:t", "html",
    "body", "center", "s", "strike", "mark",
})  # fmt: skip


@cache
def _tables() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """What tells a table of readings, and the table, which names the measurement once, above its days."""
    row = r"\n[ \t|]*\d{1,2}/\d{1,2}/\d{2,4}[ \t|:]+[^\n]{1,40}"
    return tuple(
        (
            f" {title.before} ",
            re.compile(
                rf"^[ \t]*(?P<name>[A-Za-z][A-Za-z /]{{0,20}}?) {re.escape(title.before)} \d{{1,2}} "
                rf"{re.escape(title.behind)}:?[ \t]*(?P<rows>(?:{row}){{1,20}})",
                re.MULTILINE,
            ),
        )
        for title in load_notation().tables_of_readings
    )


def plain(text: str) -> str:
    """The words of a text without markup; lines and table cells keep their bounds."""
    if "\\" in text:
        if "{\\rtf" in text[:200] or "\\par" in text:
            text = without_rtf(text)
        text = _HL7.sub(_hl7, text)
    if "<" in text and _TAG.search(text):
        text = html.unescape(_TAG.sub(_tag, _DECLARATION.sub(" ", _shown(text))))
    elif "&" in text and ";" in text:
        text = html.unescape(text)
    if "***" in text or "}" in text or "@" in text:
        text = _OPEN.sub(_BLANK_FIELD, text)
    for begins, table in _tables():
        if begins in text:
            text = table.sub(lambda found: _READING.sub(rf"\n\1 {found['name']}: ", found["rows"]), text)
    if "   " in text:
        text = _GAP.sub("  ", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else replaced(_SOFT.sub("", text))


def replaced(text: str) -> str:
    """Invisible characters gone; odd blanks, dashes, wide letters and ligatures as the ordinary ones."""
    return _ODD.sub(_odd, text)


def _odd(match: re.Match[str]) -> str:
    return _CHARACTERS[ord(match[0])] or ""


def _hl7(match: re.Match[str]) -> str:
    code = match[1]
    if code.startswith("."):
        return "\n" if code[1:3] in ("br", "sp", "sk", "ce") else " "
    if code.startswith("X"):
        signs = bytes.fromhex(code[1:]).decode("latin-1")
        return "\n" if set(signs) & {"\r", "\n"} else signs
    return _HL7_LETTERS.get(code, "")


def _shown(text: str) -> str:
    """Without comments, scripts and styles; one that never ends hides nothing."""
    for begin, finish in _HIDDEN:
        small = text.lower() if len(text.lower()) == len(text) else text
        at = 0
        parts: list[str] = []
        while (start := small.find(begin, at)) >= 0 and (stop := small.find(finish, start)) >= 0:
            parts.append(text[at:start])
            at = stop + len(finish)
        if parts:
            text = " ".join((*parts, text[at:].removeprefix(">")))
    return text


def _tag(match: re.Match[str]) -> str:
    name = match["name"].lower()
    if name in CELLS:
        return "" if name[0] != "/" else " | "
    bare = name.removeprefix("/")
    if bare in _LINES:
        return "\n"
    return "" if bare in INLINE else " "
