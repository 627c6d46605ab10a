"""Hostile JSON: refused before anything is made of it. The size in bytes is limited by the middleware."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from cds_service.errors import BadRequest
from mappings.bundles import with_whole_letters

MAX_DEPTH = 64
MAX_NODES = 2_000_000
_MAX_EXPONENT = 307
"""what every program reads as a number that it can hold (RFC 8259, section 6: binary64). A test chart of HL7 has
1.000000000000000000E-245, and one such number must not cost a chart; arithmetic on 1e999999 would never end."""
_MAX_DIGITS = 400
_BOM = b"\xef\xbb\xbf"
_OPENING, _PART = (b",", b"[", b"{"), 32 * 1024
"""what stands before a value, and in how many bytes it is counted at once"""
_BLANK_COLONS = (b" :", b"\t:", b"\n:", b"\r:")


class _NumberOutOfRangeError(ValueError):
    pass


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if len(text) > _MAX_DIGITS or not -_MAX_EXPONENT <= number.adjusted() <= _MAX_EXPONENT:
        raise _NumberOutOfRangeError
    return number


_DECODER = msgspec.json.Decoder(float_hook=_number)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def decode_request(body: bytes, *, max_nodes: int = MAX_NODES) -> Mapping[str, Any]:
    """The request as data, every decimal exact.

    BadRequest when it is no JSON object in UTF-8 (NaN and Infinity are no JSON), nested deeper than 64, of more than
    `max_nodes` values, with a number beyond use, or with a key twice in one object (parsers disagree on which counts).
    """
    value = decode_part(body.removeprefix(_BOM), MAX_DEPTH, max_nodes)
    if not isinstance(value, Mapping):
        raise BadRequest("must be an object", "request")
    return value


def decode_part(body: bytes, depth: int, max_nodes: int = MAX_NODES) -> Any:
    """A value of a request as data, nested no deeper than `depth`; BadRequest as for the whole. A root that is a list
    or object is the first of the levels."""
    try:
        value = _DECODER.decode(body)
    except RecursionError:
        raise BadRequest("nested too deeply", "request") from None
    except (_NumberOutOfRangeError, ArithmeticError):
        raise BadRequest("a number is out of range", "request") from None
    except (msgspec.DecodeError, ValueError) as error:
        mended = with_whole_letters(body)
        if mended is not None:
            return decode_part(mended, depth, max_nodes)
        out = isinstance(error.__cause__, _NumberOutOfRangeError | ArithmeticError)
        raise BadRequest("a number is out of range" if out else "malformed JSON", "request") from None
    if type(value) is not dict and type(value) is not list:
        return value
    few = body.count(b"{") + body.count(b"[") <= depth and values_at_most(body, max_nodes) <= max_nodes
    if few and _written_again(value) == body:
        return value  # what is the same when it is written again holds no key twice
    keys = _keys(value, depth, max_nodes)
    if _members_at_most(body) != keys and _members(body) != keys:
        raise BadRequest("a key occurs twice in one object", "request")
    return value


def values_at_most(body: bytes, enough: int) -> int:
    """An upper bound of the values in a JSON text, without reading it: each follows a comma or opens a list or an
    object. What is below `enough` is counted no further: each value has a byte, and another one parts it from the
    next."""
    counted = 1
    for at in range(0, len(body), _PART):
        rest = (len(body) - at + 1) // 2
        if counted + rest <= enough:
            return counted + rest
        part = body[at : at + _PART]
        # what is rare is left out by looking for it from one to the next, and counted by looking at every byte
        counted += sum(len(part) - len(part.replace(sign, b"")) for sign in _OPENING)
    return counted


def _written_again(value: Any) -> bytes:
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return b""


def _keys(value: Any, depth: int, max_nodes: int) -> int:
    """The number of keys in the tree; BadRequest when it is too deep or too large."""
    level, keys, nodes = [value], 0, 1
    for _ in range(depth):
        below: list[Any] = []
        for container in level:
            if type(container) is dict:
                keys += len(container)
                below.extend(container.values())
            else:
                below.extend(container)
        nodes += len(below)
        if nodes > max_nodes:
            raise BadRequest("too many values", "request")
        level = [item for item in below if type(item) is dict or type(item) is list]
        if not level:
            return keys
    raise BadRequest("nested too deeply", "request")


def _members_at_most(body: bytes) -> int:
    """An upper bound of the members of all objects, cheap to count: every key ends in a quote before its colon.

    -1 when blanks before colons make it no bound."""
    return -1 if any(blank in body for blank in _BLANK_COLONS) else body.count(b'":')


def _members(body: bytes) -> int:
    """The exact number of members of all objects: colons outside of strings."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    return sum(part.count(b":") for part in body.split(b'"')[::2])
