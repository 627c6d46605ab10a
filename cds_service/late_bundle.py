"""A Bundle taken apart: its resources one after another, decoded only as far as the chart's reader needs them.

What is written like a resource that said nothing before (`mappings/reader/alike.py`) stays bytes; everything else is
decoded here, one resource after another while it is still at hand, which takes a third of the time that one large tree
takes. Used for the Bundles of a request (`late_request.py`) and for the pages of a server (`fhir/late.py`)."""

from __future__ import annotations

from typing import Any

import msgspec

from cds_service.bundle_frame import BundleFrame, is_all
from cds_service.limits import MAX_DEPTH, decode_part
from mappings.reader.alike import Look

OF_VALUE = MAX_DEPTH - 2
_OF_MEMBER = OF_VALUE - 3
"""levels left below request and prefetch, and below Bundle, list and entry too"""


class _Link(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    relation: str
    url: str


class _Entry(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The members of an entry; with another one the Bundle is decoded whole."""

    link: list[_Link] | msgspec.UnsetType = msgspec.UNSET
    """as Epic writes it; nobody reads it"""
    fullUrl: str | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 - the name on the wire
    resource: msgspec.Raw = msgspec.Raw()
    search: msgspec.Raw = msgspec.Raw()


class _Bundle(BundleFrame, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    entry: list[_Entry] | msgspec.UnsetType = msgspec.UNSET


_BUNDLE = msgspec.json.Decoder(_Bundle)
_ENCODER = msgspec.json.Encoder()


def taken_apart(raw: bytes | msgspec.Raw, look: Look) -> dict[str, Any] | None:
    """The Bundle, its resources as `look` leaves them; None when it has to be decoded whole: it is no Bundle, has
    members that we don't know, or is not written as programs write JSON. Raises BadRequest and msgspec.DecodeError for
    what a request may not hold."""
    try:
        bundle = _BUNDLE.decode(raw)
    except msgspec.ValidationError:
        return None
    entries = bundle.entry
    if entries is msgspec.UNSET or not is_all(bundle, raw):
        return None
    bundle.entry = msgspec.UNSET
    value: dict[str, Any] = decode_part(_ENCODER.encode(bundle), OF_VALUE)
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
