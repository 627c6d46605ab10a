"""A Bundle taken apart: its resources one after another, decoded only as far as the chart's reader needs them.

Most Bundles hold nothing but resources of a few elements (`mappings/elements.py`), which are taken apart in one pass
with all of the Bundle. Others are taken apart resource by resource. What is written like a resource that said nothing
before (`mappings/reader/alike.py`) is not decoded; everything else is, one resource after another while it is still at
hand, which takes a third of the time that one large tree takes. Used for the Bundles of a request (`lazy_request.py`)
and for the pages of a server (`fhir/lazy_pages.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from cds_service.bundle_frame import BundleFrame, is_all
from cds_service.limits import MAX_DEPTH, decode_part
from mappings.bundles import Apart, Unpacked, unpack
from mappings.elements import Resource, Told
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
    fullUrl: str | msgspec.UnsetType = msgspec.UNSET
    resource: msgspec.Raw = msgspec.Raw()
    search: msgspec.Raw = msgspec.Raw()


class _Bundle(BundleFrame, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    entry: list[_Entry] | msgspec.UnsetType = msgspec.UNSET


class _Search(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    mode: str | msgspec.UnsetType = msgspec.UNSET
    score: int | float | msgspec.UnsetType = msgspec.UNSET


class _ToldEntry(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The same of a resource of few elements."""

    resource: Told
    link: list[_Link] | msgspec.UnsetType = msgspec.UNSET
    fullUrl: str | msgspec.UnsetType = msgspec.UNSET
    search: _Search | msgspec.UnsetType = msgspec.UNSET


class _ToldBundle(BundleFrame, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    entry: list[_ToldEntry] | msgspec.UnsetType = msgspec.UNSET


_BUNDLE, _TOLD = msgspec.json.Decoder(_Bundle), msgspec.json.Decoder(_ToldBundle)
_ENCODER = msgspec.json.Encoder()


def taken_apart(raw: bytes | msgspec.Raw, look: Look) -> Unpacked | None:
    """What is in the Bundle, its resources as `look` leaves them; None when it has to be decoded whole: it is no
    Bundle, has members that we don't know, or is not written as programs write JSON. Raises BadRequest and
    msgspec.DecodeError for what a request may not hold."""
    return _at_once(raw, look) or _one_by_one(raw, look)


def _at_once(raw: bytes | msgspec.Raw, look: Look) -> Apart | None:
    """A Bundle of the patient's resources of few elements; None of any other."""
    try:
        bundle = _TOLD.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    entries = bundle.entry
    if entries is msgspec.UNSET or not is_all(bundle, raw):
        return None
    every = [entry.resource for entry in entries]
    found = look.at_once(every, _part)
    if found is None:
        return None
    urls = [None if entry.fullUrl is msgspec.UNSET else entry.fullUrl for entry in entries]
    kinds: set[type[Resource]] = set(map(type, every))
    of = frozenset(kind.kind for kind in kinds)
    around = unpack(_frame(bundle))
    return Apart(tuple(zip(urls, found, strict=True)), next_url=around.next_url, total=around.total, of=of)


def _one_by_one(raw: bytes | msgspec.Raw, look: Look) -> Unpacked | None:
    try:
        bundle = _BUNDLE.decode(raw)
    except msgspec.ValidationError:
        return None
    entries = bundle.entry
    if entries is msgspec.UNSET or not is_all(bundle, raw):
        return None
    value = _frame(bundle)
    known: dict[bytes, Any] = {}
    resources = iter(look([entry.resource for entry in entries if len(entry.resource)], _part))
    value["entry"] = [_entry(entry, resources, known) for entry in entries]
    return unpack(value)


def _frame(bundle: _Bundle | _ToldBundle) -> dict[str, Any]:
    """The members of a Bundle beside its entries."""
    bundle.entry = msgspec.UNSET
    value: dict[str, Any] = decode_part(_ENCODER.encode(bundle), OF_VALUE)
    return value


def _entry(entry: _Entry, resources: Iterator[Any], known: dict[bytes, Any]) -> dict[str, Any]:
    """`known`: what was decoded already of what most entries have alike."""
    found: dict[str, Any] = {}
    if entry.fullUrl is not msgspec.UNSET:
        found["fullUrl"] = entry.fullUrl
    if len(entry.resource):
        found["resource"] = next(resources)
    search = bytes(entry.search)
    if search:
        if search not in known:
            known[search] = _part(search)
        found["search"] = known[search]
    return found


def _part(raw: bytes) -> Any:
    """A member of an entry."""
    return decode_part(raw, _OF_MEMBER)
