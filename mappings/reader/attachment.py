"""The words of an Attachment: plain text, HTML or RTF in base64, in the character set that it is really in."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterable

from mappings.reader.access import mapping, text
from mappings.reader.plain import lines_of

_MARKUP = ("text/html", "application/xhtml+xml")
_READABLE = (*_MARKUP, "text/plain", "text/markdown", "text/x-markdown", "text/rtf", "application/rtf", "")
_WIDE = {
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_DECLARED = ("utf-16", "utf-16le", "utf-16be")
_CHARSET = "charset="
_KIND = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,80}")


def kind_of(attachment: object) -> str:
    """Its media type, without parameters; empty when it names none."""
    return str(mapping(attachment).get("contentType") or "").lower().partition(";")[0].strip()


def is_readable(attachment: object) -> bool:
    """Whether it is of a type that is read, or names none."""
    return kind_of(attachment) in _READABLE


def words_of(attachment: object) -> str | None:
    """What it says; None for what is kept elsewhere, is no text, or can't be decoded."""
    body = mapping(attachment)
    kind, rest = kind_of(body), str(body.get("contentType") or "").lower().partition(";")[2]
    data = body.get("data")
    if not isinstance(data, str) or kind not in _READABLE:
        return None
    try:
        sent = base64.b64decode(data, validate=False)
    except (binascii.Error, ValueError):
        return None
    decoded = _decoded(sent, rest.partition(_CHARSET)[2].strip().strip("\"'"))
    return text(lines_of(decoded) if kind in _MARKUP else decoded)


def unread(attachments: Iterable[object]) -> str | None:
    """Why nothing is known of what these say; None when there are none."""
    forms = [body for attachment in attachments if (body := mapping(attachment))]
    if not forms:
        return None
    kinds = {kind_of(body) for body in forms if "data" in body}
    named = sorted(kind for kind in kinds if kind not in _READABLE and _KIND.fullmatch(kind))
    if named:
        return f"its text is {named[0]}, which is not read"
    return "its text can't be decoded" if kinds else "its text is kept elsewhere"


def _decoded(sent: bytes, declared: str) -> str:
    """UTF-8, or what Windows systems send without saying so; UTF-16 where it shows or is declared. Other declarations
    are not asked: what is UTF-8 by its bytes is UTF-8."""
    wide = _WIDE.get(sent[:2]) or (declared if declared in _DECLARED else None)
    for charset in (wide, "utf-8"):
        if charset is None:
            continue
        try:
            return sent.decode(charset)
        except UnicodeDecodeError:
            continue
    return sent.decode("cp1252", errors="replace")
