"""A hook request whose prefetch is decoded resource by resource, and only as far as the chart's reader needs it.

What is written like a resource that said nothing before (`mappings/reader/alike.py`) stays bytes; everything else is
decoded here, one resource after another while it is still at hand, which takes a third of the time that one large tree
takes. Nothing else differs from decoding the whole body: the same is refused (repeated keys, depth, numbers, size), and
whatever is not written as programs write JSON (blanks, keys twice, no object where one should be) is decoded whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cds_service.errors import BadRequest
from cds_service.limits import MAX_DEPTH, decode_part, decode_request, values_at_most
from mappings.reader import ChartReader
from mappings.reader.alike import Look
from mappings.versions import Version

About = Callable[[Mapping[str, Any]], tuple[str, Version | None] | None]
"""The patient of a request without its prefetch, and the FHIR release in which the chart will be read; None when the
request is none."""


class _Entry(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An entry as servers write it; with another member, or in another order, a request is decoded whole."""

    fullUrl: str | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 - the name on the wire
    resource: msgspec.Raw = msgspec.Raw()
    search: msgspec.Raw = msgspec.Raw()


_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENTRIES = msgspec.json.Decoder(list[_Entry])
_ENCODER = msgspec.json.Encoder()
_BUNDLE = b'"Bundle"'
_OF_VALUE = MAX_DEPTH - 2
_OF_MEMBER = _OF_VALUE - 3
"""levels left below request and prefetch, and below Bundle, list and entry too"""
_SMALL = 2000
"""bytes; less is decoded at once."""


def late_request(body: bytes, about: About, reader: ChartReader, *, max_nodes: int) -> Mapping[str, Any] | None:
    """The request as data, resources of its Bundles partly still bytes; None when it has to be decoded whole, errors
    included."""
    if values_at_most(body, max_nodes) > max_nodes:
        return None
    try:
        if not body.isascii():
            body.decode()
        members = _members(body)
        sent = members.pop("prefetch", None)
        if sent is None:
            return None
        request: dict[str, Any] = dict(decode_request(_ENCODER.encode(members)))
        told = about(request)
        if told is None:
            return None
        look = reader.look(*told)
        request["prefetch"] = {name: _value(bytes(value), look) for name, value in _members(sent).items()}
    except (msgspec.DecodeError, ValueError, RecursionError, BadRequest):
        return None
    return request


def _members(raw: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """The members of an object; ValueError when one is there twice, or blanks are between them."""
    found = _MEMBERS.decode(raw)
    if _ENCODER.encode(found) != bytes(raw):
        raise ValueError
    return found


def _value(raw: bytes, look: Look) -> Any:
    """A value of the prefetch: a Bundle with its resources one by one, anything else decoded."""
    if len(raw) < _SMALL or raw[:1] != b"{":
        return decode_part(raw, _OF_VALUE)
    bundle = _members(raw)
    entries = bundle.pop("entry", None)
    if entries is None or bytes(bundle.get("resourceType", b"")) != _BUNDLE:
        return decode_part(raw, _OF_VALUE)
    found = _ENTRIES.decode(entries)
    if _ENCODER.encode(found) != bytes(entries):
        raise ValueError
    value = decode_part(_ENCODER.encode(bundle), _OF_VALUE)
    known: dict[bytes, Any] = {}
    value["entry"] = [_entry(entry, look, known) for entry in found]
    return value


def _entry(entry: _Entry, look: Look, known: dict[bytes, Any]) -> dict[str, Any]:
    """`known`: what was decoded already of what most entries have alike."""
    found: dict[str, Any] = {}
    if entry.fullUrl is not msgspec.UNSET:
        found["fullUrl"] = entry.fullUrl
    if len(entry.resource):
        found["resource"] = look(entry.resource, _part)
    search = bytes(entry.search)
    if search:
        if search not in known:
            known[search] = _part(search)
        found["search"] = known[search]
    return found


def _part(raw: bytes) -> Any:
    """A member of an entry."""
    return decode_part(raw, _OF_MEMBER)
