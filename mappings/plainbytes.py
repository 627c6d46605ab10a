"""JSON bytes as a scanner needs them: every way of writing a letter brought back to that ASCII letter.

What a text engine would read as "lupus" may stand in the bytes as `l\\u00fapus`, in full-width letters, or with a soft
hyphen inside. What can be undone letter by letter is undone here; where only a real reading can tell (RTF, HL7 escapes,
markup inside a word, entities that stand for letters), the answer is None. No word is lost: whatever the text engine
would read is still there in plain letters."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from mappings.text.markup import CELLS, INLINE, replaced

_RUN = re.compile(rb"[\x80-\xff][\x80-\xff]*")  # a search for one class of bytes is quick, for many of them it is not
_ESCAPES = re.compile(rb"(?:\\u[0-9a-fA-F]{4})+")
_ENTITY = re.compile(rb"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[A-Za-z][^\t\n\f <&#;\"\\]{0,31};?)")
_CELLS = frozenset(name for name in CELLS if name[0] != "/")
_GONE = "|".join([*(f"/?{name}" for name in sorted(INLINE)), *sorted(_CELLS)])
"""tags that leave nothing behind, not even a blank"""
_NAME = re.compile(rb"</?([A-Za-z0-9:]*)")
_GONE_NAMES = frozenset(name.encode() for name in INLINE | _CELLS)
_JOINING = re.compile(rf"(?i)(?:<(?:{_GONE})(?![a-z0-9:])[^<>]*>)+(?=[a-z0-9_\x01])".encode())
_BLANK, _MARKED = rb"[ .'_-]|\\[bfnrt]", rb"<[^<>]*>|&[#A-Za-z0-9]{1,31};?"
_LONE_PAIR = re.compile(
    rb"(?:[^A-Za-z]|\\[bfnrt])([A-Za-z])(?=(?:%b)*(?:%b)(?:%b|%b)*([A-Za-z])(?![A-Za-z0-9_]))"
    % (_BLANK, _MARKED, _MARKED, _BLANK)
)
_QUOTED_END = re.compile(rb"=\s?\\?[\"'][^\"'<>]*>")
_DATA = re.compile(rb'"data"\s*:\s*"([^"]*)"')
_HYPHENED = re.compile(rb"-(?<=[A-Za-z0-9_\x01]-)[ \t]*(?:[\r\n]|\\[nrf]|<)")
_HYPHENED_ENTITY = re.compile(rb"-[ \t]*&(?:#|NewLine)|&(?:shy|#173|#[xX]0*[aA][dD]|not);?[ \t]*(?:[\r\n]|\\[nrf]|<)")
_LINE_ENDS = frozenset("\n\r\x0b\x0c\x85\u2028\u2029")
_SOFT = frozenset("\u00ac\u00ad")
_BEFORE_BREAK = (b"-", b" ")
_MARKUP = frozenset("<>&\\")
_MOST_ATTACHED = 1_000_000
_BLANKS = bytes.maketrans(b"\t\n\v\f\r\x1c\x1d\x1e\x1f", b" " * 9)
RESOURCE = b'"resource"'
"""the name under which a resource stands in a Bundle"""
_PART = 32 * 1024
"""bytes that are looked at together, where they can be cut: what is made of them stays near the processor, and is not
mapped into memory each time"""
_BLOCK, _NEAR = 4032, 64
"""bytes that are asked at once whether they are ASCII, and how near the next that are not are looked for first"""
_MANY, _FAR = 32, 256
"""from how many runs of bytes that are no ASCII on each letter is exchanged in all of the text, and up to how many"""
_ASCII = bytes(range(128))
_FEW, _MOST_KEPT = 4, 4096
"""bytes of a run (a letter or two, which say nothing of anybody) whose plain letters are kept, and of how many"""
_SELDOM = 100
"""bytes from one sign to the next on average, from which it is looked for by itself."""
_ACCENTS, _ESCAPE = b"\xcc\xcd", len("\\u0041")
"""what accents begin with that letters are written with, and how long an escape is"""
DOUBLE = b"\\\\"
"""two backslashes: one that is read as such, and then anything may follow"""
_UNICODE = b"\\u"
LETTER = b"\1"
"""a letter or figure that has no plain one ("ø", "е" of Cyrillic): it belongs to its word, and may be the wrong letter
in it"""
_LETTERS_TOO = (LETTER, b"_")
_SIGNS = {'"': " ", "\\": DOUBLE.decode()} | {chr(code): " " for code in range(1, 32)}
"""what a written-out sign becomes"""


def in_parts(raw: bytes) -> list[tuple[int, int]]:
    """JSON text in parts of some size, each of which begins where a resource does. No string is in two parts but one
    that ends in a quoted "resource", and that word opens the second: what has to be found in one string (a word, a tag)
    is in one part, of which a resource of a resource may have others."""
    spans: list[tuple[int, int]] = []
    begin = 0
    while (end := raw.find(RESOURCE, begin + _PART)) >= 0:
        spans.append((begin, end + 1))
        begin = end
    return [*spans, (begin, len(raw))]


def as_ascii(raw: bytes, begin: int = 0, end: int | None = None) -> bytes | None:
    """UTF-8 from here to there with every letter as its plain ASCII letter; other signs part words. None for bytes that
    are no UTF-8."""
    last = len(raw) if end is None else end
    view = memoryview(raw)
    parts: list[bytes | memoryview] = []
    at = begin
    for number, run in enumerate(_runs(raw, begin, last)):
        near = number == _MANY and run.start() - begin < _MANY * _FAR
        if near and (found := _letter_by_letter(raw[begin:last])) is not None:
            return found
        at_run, written = run.start(), run[0]
        before = raw[max(begin, at_run - 1) : at_run]
        try:
            letters = _of_few(before, written) if len(written) <= _FEW else _letters(before, written.decode("utf-8"))
        except UnicodeDecodeError:
            return None
        if written[0] in _ACCENTS and raw[max(begin, at_run - _ESCAPE) : at_run].startswith(b"\\u"):
            letters = DOUBLE  # the accent belongs to a letter that is an escape still
        parts += (view[at:at_run], letters)
        at = run.end()
    return b"".join((*parts, view[at:last])) if parts else raw[begin:last]


def _letter_by_letter(raw: bytes) -> bytes | None:
    """As `as_ascii`, each letter exchanged everywhere at once: a text in German has one in every line. None where what
    a letter is depends on those beside it."""
    try:
        odd = set(raw.translate(None, _ASCII).decode("utf-8"))
        if len(odd) > _MANY or not all(char < "\u0250" or "\u2000" <= char < "\u2070" for char in odd):
            return None
        if not (_SOFT | _LINE_ENDS).isdisjoint(odd):
            return None
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    for char in odd:
        text = text.replace(char, _of_few(b"", char.encode()).decode("ascii"))
    return text.encode("ascii")


def _runs(raw: bytes, at: int, end: int) -> Iterator[re.Match[bytes]]:
    """The runs of bytes that are no ASCII from here to there, in order. Another one is often near, and a search finds
    it; of a block it costs next to nothing to say that it has none, and little to decode it as far as the first."""
    while at < end:
        block = raw[at : min(at + _BLOCK, end)]
        if block.isascii():
            at += _BLOCK
            continue
        run = _RUN.search(raw, at + _plain_bytes(block), end)
        while run is not None:
            yield run
            at = run.end()
            near = min(at + _NEAR, end)
            run = _RUN.search(raw, at, near)
            if run is not None and run.end() == near:
                run = _RUN.match(raw, run.start(), end)  # it may go on


def _plain_bytes(block: bytes) -> int:
    """How many bytes of ASCII a block begins with that is not all ASCII."""
    try:
        return len(block.decode("ascii"))
    except UnicodeDecodeError as error:
        return error.start


def escapes(found: bytes) -> tuple[bool, bool, bool]:
    r"""Whether JSON bytes hold a `\u`, a `DOUBLE`, and perhaps an escape behind a hyphen. Where backslashes are rare,
    going from one to the next is many times faster than a search."""
    letters = behind_hyphen = False
    at, few = found.find(b"\\"), len(found) // _SELDOM
    while at >= 0 and few:
        around = found[at - 1 : at + 2]
        if around[1:] == DOUBLE:
            return letters or _UNICODE in found, True, True
        letters |= around[1:] == _UNICODE
        behind_hyphen |= around[:1] in _BEFORE_BREAK
        at, few = found.find(b"\\", at + 2), few - 1
    return (letters, False, behind_hyphen) if at < 0 else (_UNICODE in found, DOUBLE in found, True)


def unescaped(found: bytes) -> bytes:
    r"""JSON with its `\u` escapes written out, as plain letters too; `DOUBLE` where nobody can tell what is read."""
    return _ESCAPES.sub(_written_out, found)


def goes_on(found: bytes) -> bool:
    r"""Whether a word may go on behind a hyphen and a line break (`\n`) of JSON bytes."""
    return _HYPHENED.search(found) is not None


def is_plain(found: bytes) -> bool:
    """No markup inside a word or behind a hyphen, no entity that is a letter or a line break behind a hyphen."""
    if b"&" in found:
        if _HYPHENED_ENTITY.search(found):
            return False
        if not all(_is_sign(match[0], found[match.end() : match.end() + 1]) for match in _ENTITY.finditer(found)):
            return False
        other = found.replace(b"&lt;", b"<").replace(b"&gt;", b">")
        if b"<" in other and not _parted(other):
            return False
    return b"<" not in found or _parted(found)


def lone_pairs(found: bytes) -> frozenset[bytes]:
    """Each two letters that stand by themselves with markup between them, in small letters: "S.&nbsp;L." is "sl"."""
    return frozenset(b"".join(pair).lower() for pair in _LONE_PAIR.findall(found))


def attached(found: bytes) -> bytes | None:
    """What attachments in JSON bytes say, as plain letters; None when only a real reading can tell.

    A payload that is no base64 says nothing to the reader either."""
    parts = [b" "]
    left = _MOST_ATTACHED
    for match in _DATA.finditer(found):
        payload = match[1].replace(b"\\/", b"/")
        left -= len(payload)
        if b"\\" in payload or left < 0:
            return None
        try:
            sent = base64.b64decode(payload, validate=False)
        except (binascii.Error, ValueError):
            continue
        said = _text(sent)
        if said is None:
            return None
        parts.append(said)
    return b" \n ".join((*parts, b" "))


def _text(sent: bytes) -> bytes | None:
    try:
        sent.decode("utf-8")
    except UnicodeDecodeError:
        sent = sent.decode("cp1252", errors="replace").encode("utf-8")
    if b"\\" in sent or b"\0" in sent:
        return None
    said = as_ascii(sent)
    if said is None or DOUBLE in said or _HYPHENED.search(said) or not is_plain(said):
        return None
    return said.translate(_BLANKS)


def _written_out(match: re.Match[bytes]) -> bytes:
    units = bytes.fromhex(match[0].decode("ascii").replace("\\u", ""))
    text = units.decode("utf-16-be", "surrogatepass")  # two escapes may be one letter
    return _letters(match.string[max(0, match.start() - 1) : match.start()], text)


def _letters(before: bytes, text: str) -> bytes:
    """A run of characters as ASCII; an accent may belong to the character before."""
    if "\0" in text or (before == b">" and unicodedata.combining(text[0])):
        return DOUBLE  # dropped, or it parts words; an accent on a letter before a tag: nobody can tell from here
    if text[-1] in _SOFT or (not _LINE_ENDS.isdisjoint(text) and (len(text) > 1 or before in _BEFORE_BREAK)):
        return DOUBLE  # a word may go on in the next line
    head = before.decode("ascii", "replace")
    plain = map(_letter, unicodedata.normalize("NFC", head + replaced(text))[len(head) :])
    return "".join(plain).encode("ascii")


@lru_cache(_MOST_KEPT)
def _of_few(before: bytes, written: bytes) -> bytes:
    return _letters(before, written.decode("utf-8"))


def _letter(char: str) -> str:
    plain = unicodedata.normalize("NFD", char)[0]
    if plain.isascii():
        return _SIGNS.get(plain, plain)
    return LETTER.decode() if plain.isalnum() else " "


def _parted(found: bytes) -> bool:
    at = found.find(b"<")
    while at >= 0:
        before = found[at - 1 : at]
        if (before.isalnum() or before in _LETTERS_TOO) and _is_gone(found, at) and _JOINING.match(found, at):
            return False
        if before in _BEFORE_BREAK and _HYPHENED.search(found, max(0, at - _NEAR), at + 1):
            return False
        at = found.find(b"<", at + 1)
    return not _ends_in_quotes(found)


def _is_gone(found: bytes, at: int) -> bool:
    """Whether a tag may leave nothing behind, by its name: to try all such tags takes many times as long."""
    name = _NAME.match(found, at)
    return name is not None and name[1].lower() in _GONE_NAMES


def _ends_in_quotes(found: bytes) -> bool:
    """Whether a tag ends inside of a quoted value. Where "=" is rare, looking for it is faster than a search."""
    at, few = found.find(b"="), len(found) // _SELDOM
    while at >= 0 and few:
        if _QUOTED_END.match(found, at):
            return True
        at, few = found.find(b"=", at + 1), few - 1
    return at >= 0 and _QUOTED_END.search(found, at) is not None


def _is_sign(entity: bytes, following: bytes) -> bool:
    """Whether an entity stands for a sign that parts words (or for nothing: "?a=1&b=2")."""
    written = entity.decode("ascii")
    meant = html.unescape(written)
    if meant == "&":
        return not (following.isalnum() or following == b"#")
    return bool(meant) and (
        meant == written
        or written in ("&lt;", "&gt;")
        or not any(
            char.isalnum() or char in _MARKUP or char == "_" or unicodedata.combining(char) or not replaced(char)
            for char in meant
        )
    )
