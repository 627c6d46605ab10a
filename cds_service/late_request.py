"""A hook request whose prefetch is decoded resource by resource, and only as far as the chart's reader needs it.

What is written like a resource that said nothing before (`mappings/reader/alike.py`) stays bytes; everything else is
decoded here, one resource after another while it is still at hand, which takes a third of the time that one large tree
takes. Nothing else differs from decoding the whole body: the same is refused (repeated keys, depth, numbers, size), and
whatever is not written as programs write JSON (blanks, keys twice, no object where one should be) is decoded whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from cds_service.errors import BadRequest
from cds_service.limits import MAX_DEPTH, decode_part, decode_request, values_at_most
from mappings.reader import ChartReader
from mappings.reader.alike import Look
from mappings.versions import Version

About = Callable[[Mapping[str, Any]], tuple[str, Version | None] | None]
"""The patient of a request without its prefetch, and the FHIR release in which the chart will be read; None when the
request is none."""


class _Request(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """The members of a request; with another one it is decoded whole. Below: those of a Bundle, and of an entry."""

    hook: msgspec.Raw = msgspec.Raw()
    hookInstance: msgspec.Raw = msgspec.Raw()  # noqa: N815 - names on the wire, here and below
    context: msgspec.Raw = msgspec.Raw()
    fhirServer: msgspec.Raw = msgspec.Raw()  # noqa: N815
    fhirAuthorization: msgspec.Raw = msgspec.Raw()  # noqa: N815
    extension: msgspec.Raw = msgspec.Raw()
    prefetch: dict[str, msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


class _Entry(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    fullUrl: str | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    resource: msgspec.Raw = msgspec.Raw()
    search: msgspec.Raw = msgspec.Raw()


class _Bundle(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    resourceType: Literal["Bundle"]  # noqa: N815
    id: msgspec.Raw = msgspec.Raw()
    meta: msgspec.Raw = msgspec.Raw()
    type: msgspec.Raw = msgspec.Raw()
    timestamp: msgspec.Raw = msgspec.Raw()
    total: msgspec.Raw = msgspec.Raw()
    link: msgspec.Raw = msgspec.Raw()
    entry: list[_Entry] | msgspec.UnsetType = msgspec.UNSET


_REQUEST = msgspec.json.Decoder(_Request)
_BUNDLE = msgspec.json.Decoder(_Bundle)
_ENCODER = msgspec.json.Encoder()
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
        members = _REQUEST.decode(body)
        sent = members.prefetch
        if sent is msgspec.UNSET or not _is_all(members, body):
            return None
        members.prefetch = msgspec.UNSET
        request: dict[str, Any] = dict(decode_request(_ENCODER.encode(members)))
        told = about(request)
        if told is None:
            return None
        look = reader.look(*told)
        request["prefetch"] = {name: _value(value, look) for name, value in sent.items()}
    except (msgspec.DecodeError, ValueError, RecursionError, BadRequest):
        return None
    return request


def _is_all(decoded: msgspec.Struct, raw: bytes | msgspec.Raw) -> bool:
    """Whether it is as long when it is written again: no member was there twice, and no blanks are between them."""
    return len(_ENCODER.encode(decoded)) == len(raw)


def _value(raw: msgspec.Raw, look: Look) -> Any:
    """A value of the prefetch: a Bundle with its resources one by one, anything else decoded."""
    if len(raw) < _SMALL:
        return decode_part(bytes(raw), _OF_VALUE)
    try:
        bundle = _BUNDLE.decode(raw)
    except msgspec.ValidationError:
        return decode_part(bytes(raw), _OF_VALUE)
    entries = bundle.entry
    if entries is msgspec.UNSET or not _is_all(bundle, raw):
        return decode_part(bytes(raw), _OF_VALUE)
    bundle.entry = msgspec.UNSET
    value = decode_part(_ENCODER.encode(bundle), _OF_VALUE)
    known: dict[bytes, Any] = {}
    value["entry"] = [_entry(entry, look, known) for entry in entries]
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
