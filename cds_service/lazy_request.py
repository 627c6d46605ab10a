"""A hook request whose prefetch is decoded resource by resource, and only as far as the chart's reader needs it.

Its Bundles are taken apart (`lazy_bundle.py`). Nothing else differs from decoding the whole body: the same is refused
(repeated keys, depth, numbers, size), and whatever is not written as programs write JSON (blanks, keys twice, no object
where one should be) is decoded whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cds_service.bundle_frame import is_all
from cds_service.errors import BadRequest
from cds_service.lazy_bundle import OF_VALUE, taken_apart
from cds_service.limits import decode_part, decode_request, values_at_most
from mappings.reader import ChartReader
from mappings.reader.alike import Look
from mappings.versions import Version

About = Callable[[Mapping[str, Any]], tuple[str, Version | None] | None]
"""The patient of a request without its prefetch, and the FHIR release in which the chart will be read; None when the
request is none."""


class _Request(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """The members of a request; with another one it is decoded whole."""

    hook: msgspec.Raw = msgspec.Raw()
    hookInstance: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()
    fhirServer: msgspec.Raw = msgspec.Raw()
    fhirAuthorization: msgspec.Raw = msgspec.Raw()
    extension: msgspec.Raw = msgspec.Raw()
    prefetch: dict[str, msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


class Prefetch(dict[str, Any]):
    """The values of a prefetch. `size`: how many bytes it was written in."""

    size: int | None = None


_REQUEST = msgspec.json.Decoder(_Request)
_ENCODER = msgspec.json.Encoder()
_NAMED = b',"prefetch":'
_SMALL = 2000
"""bytes; less is decoded at once."""


def lazy_request(body: bytes, about: About, reader: ChartReader, *, max_nodes: int) -> Mapping[str, Any] | None:
    """The request as data, resources of its Bundles partly still bytes; None when it has to be decoded whole, errors
    included."""
    if values_at_most(body, max_nodes) > max_nodes:
        return None
    try:
        members = _REQUEST.decode(body)
        sent = members.prefetch
        if sent is msgspec.UNSET or not is_all(members, body):
            return None
        members.prefetch = msgspec.UNSET
        rest = _ENCODER.encode(members)
        request: dict[str, Any] = dict(decode_request(rest))
        told = about(request)
        if told is None:
            return None
        look = reader.look(*told)
        request["prefetch"] = found = Prefetch({name: _value(value, look) for name, value in sent.items()})
        found.size = len(body) - len(rest) - len(_NAMED)
    except (msgspec.DecodeError, ValueError, RecursionError, BadRequest):
        return None
    return request


def _value(raw: msgspec.Raw, look: Look) -> Any:
    """A value of the prefetch: a Bundle with its resources one by one, anything else decoded."""
    bundle = taken_apart(raw, look) if len(raw) >= _SMALL else None
    return decode_part(bytes(raw), OF_VALUE) if bundle is None else bundle
