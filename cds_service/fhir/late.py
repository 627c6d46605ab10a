"""Large answers stay bytes until their chart is read.

Decoded, an answer takes five times the room, and a chart may wait seconds for its slowest read and then for its turn at
the processor. Were all that wait decoded, the heap would grow to the largest crowd that ever waited together and stay
there, since something small always lives on between what was freed. So of an answer in which everything is plain only
the frame is looked at; the rest is decoded when somebody is about to read it, one chart after another, and no more of
it than the reader needs (`cds_service/late_bundle.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from cds_service.errors import BadRequest
from cds_service.late_bundle import taken_apart
from mappings.bundles import decode, unpack
from mappings.guarded import Guarded
from mappings.raw import Resource
from mappings.reader.alike import Look
from mappings.unread import Unread

_LARGE = 2000
"""bytes; less is decoded at once."""
_LEFT = frozenset(
    {"AllergyIntolerance", "Condition", "DiagnosticReport", "MedicationRequest", "Observation", "Procedure"}
    | {"ProcedureRequest", "ServiceRequest"}
)
"""types in which nothing is looked up before the chart is read, but for the drug that a prescription refers to."""


class _Resource(msgspec.Struct, gc=False, frozen=True):
    resourceType: str  # noqa: N815 - names on the wire
    medicationReference: msgspec.Raw = msgspec.Raw()  # noqa: N815
    medication: msgspec.Raw = msgspec.Raw()

    @property
    def is_left(self) -> bool:
        return self.resourceType in _LEFT and not self.medicationReference and not self.medication


class _Entry(msgspec.Struct, gc=False, frozen=True):
    resource: _Resource


class _Link(msgspec.Struct, gc=False, frozen=True):
    relation: str
    url: str


class _Bundle(msgspec.Struct, gc=False, frozen=True):
    resourceType: Literal["Bundle"]  # noqa: N815 - the name on the wire
    entry: tuple[_Entry, ...] = ()
    link: tuple[_Link, ...] = ()
    total: int | None = None


_FRAME = msgspec.json.Decoder(_Bundle)


def _as_written(resource: object) -> msgspec.Raw:
    if isinstance(resource, Unread):
        return resource.raw
    raise TypeError


_EXACT = msgspec.json.Encoder(decimal_format="number", enc_hook=_as_written)


class Page(Guarded, frozen=True):
    """A Bundle in bytes: how many resources stand in it, the next page if there is one, and how many all pages hold."""

    hidden = frozenset({"body"})
    body: bytes
    count: int
    next_url: str | None = None
    total: int | None = None

    def resources(self, look: Look | None = None) -> list[Resource]:
        """Decoded, or as `look` leaves them. NotJsonError for what only decoding finds (a number beyond use)."""
        bundle = None if look is None else _taken_apart(self.body, look)
        return [resource for _, resource in unpack(decode(self.body) if bundle is None else bundle).resources]


def _taken_apart(body: bytes, look: Look) -> dict[str, Any] | None:
    try:
        return taken_apart(body, look)
    except (msgspec.DecodeError, ValueError, RecursionError, BadRequest):
        return None  # what a request may not hold, a page may: a key twice counts once, as it always did


def page_of(body: bytes) -> Page | None:
    """The page, when it is large and holds plain resources only: no outcome, nothing broken, no Bundle in a Bundle."""
    if len(body) < _LARGE:
        return None
    try:
        if not body.isascii():
            body.decode()
        bundle = _FRAME.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not all(entry.resource.is_left for entry in bundle.entry):
        return None
    following = next((link.url for link in bundle.link if link.relation == "next"), None)
    return Page(body, len(bundle.entry), following, bundle.total)


def packed(resources: Sequence[Resource]) -> Page | None:
    """Resources that were decoded before they are needed, as bytes again, every number as it was; None when they can't
    be written."""
    try:
        body = _EXACT.encode({"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]})
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None
    return Page(body, len(resources))
