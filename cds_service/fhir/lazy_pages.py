"""Large answers stay bytes until their chart is read.

Decoded, an answer takes five times the room, and a chart may wait seconds for its slowest read and then for its turn at
the processor. Were all that wait decoded, the heap would grow to the largest crowd that ever waited together and stay
there, since something small always lives on between what was freed. So of an answer in which everything is plain only
the frame is looked at; the rest is decoded when somebody is about to read it, one chart after another, and no more of
it than the reader needs (`cds_service/lazy_bundle.py`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from cds_service.errors import BadRequest
from cds_service.lazy_bundle import taken_apart
from mappings.bundles import Unpacked, decode, unpack
from mappings.elements import written
from mappings.guarded import Guarded
from mappings.raw import Resource
from mappings.reader.alike import Look
from mappings.unread import Unread

_LARGE = 2000
"""bytes; less is decoded at once."""
_START = 300
"""bytes in which blanks show."""
_LEFT = frozenset(
    {"AllergyIntolerance", "Condition", "DiagnosticReport", "MedicationRequest", "MedicationStatement", "Observation"}
    | {"Procedure", "ProcedureRequest", "ServiceRequest"}
)
"""types in which nothing is looked up before the chart is read, but for the drug that a prescription refers to."""


class _Resource(msgspec.Struct, gc=False, frozen=True):
    resourceType: str
    medicationReference: msgspec.Raw = msgspec.Raw()
    medication: msgspec.Raw = msgspec.Raw()
    issue: msgspec.Raw = msgspec.Raw()

    @property
    def is_left(self) -> bool:
        return self.resourceType in _LEFT and not self.medicationReference and not self.medication

    @property
    def outcome(self) -> dict[str, Any] | None:
        """What the server says beside the resources, as Epic does in every answer."""
        if self.resourceType != "OperationOutcome":
            return None
        return {"resourceType": "OperationOutcome", "issue": decode(bytes(self.issue)) if self.issue else None}


class _Entry(msgspec.Struct, gc=False, frozen=True):
    resource: _Resource


class _Link(msgspec.Struct, gc=False, frozen=True):
    relation: str
    url: str


class _Bundle(msgspec.Struct, gc=False, frozen=True):
    resourceType: Literal["Bundle"]
    entry: tuple[_Entry, ...] = ()
    link: tuple[_Link, ...] = ()
    total: int | None = None
    issues: msgspec.Raw = msgspec.Raw()


_FRAME = msgspec.json.Decoder(_Bundle)


def _as_written(resource: object) -> msgspec.Raw:
    if isinstance(resource, Unread):
        return msgspec.Raw(written(resource.told))
    raise TypeError


_EXACT = msgspec.json.Encoder(decimal_format="number", enc_hook=_as_written)


class Page(Guarded, frozen=True):
    """A Bundle in bytes: how many resources stand in it, the next page if there is one, how many all pages hold, what
    the server says of it, and the types of the resources."""

    hidden = frozenset({"body", "issues"})
    body: bytes
    count: int
    next_url: str | None = None
    total: int | None = None
    issues: tuple[Mapping[str, Any], ...] = ()
    kinds: frozenset[str] = frozenset()

    def resources(self, look: Look | None = None) -> list[Resource]:
        """Decoded, or as `look` leaves them. NotJsonError for what only decoding finds (a number beyond use)."""
        bundle = None if look is None else _taken_apart(self.body, look)
        return [resource for _, resource in (unpack(decode(self.body)) if bundle is None else bundle).resources]


def _taken_apart(body: bytes, look: Look) -> Unpacked | None:
    try:
        return taken_apart(msgspec.json.format(body, indent=-1) if _has_blanks(body) else body, look)
    except (msgspec.DecodeError, ValueError, RecursionError, BadRequest):
        return None  # what a request may not hold, a page may: a key twice counts once, as it always did


def _has_blanks(body: bytes) -> bool:
    """Whether it is written for people to read, as HAPI FHIR's starter does by default."""
    return body[1:2] != b'"' or b'": ' in body[:_START]


def page_of(body: bytes) -> Page | None:
    """The page, when it is large and holds plain resources only: nothing broken, no Bundle in a Bundle."""
    if len(body) < _LARGE:
        return None
    try:
        if not body.isascii():
            body.decode()
        bundle = _FRAME.decode(body)
        beside = [outcome for entry in bundle.entry if (outcome := entry.resource.outcome) is not None]
    except (msgspec.DecodeError, ValueError, RecursionError):  # NotJsonError is a ValueError
        return None
    left = sum(entry.resource.is_left for entry in bundle.entry)
    if left + len(beside) < len(bundle.entry) or bundle.issues:
        return None
    issues = tuple(issue for outcome in beside for issue in unpack(outcome).issues)
    following = next((link.url for link in bundle.link if link.relation == "next"), None)
    kinds = frozenset([entry.resource.resourceType for entry in bundle.entry])
    return Page(body, left, following, bundle.total, issues, kinds)


def packed(resources: Sequence[Resource]) -> Page | None:
    """Resources that were decoded before they are needed, as bytes again, every number as it was; None when they can't
    be written."""
    try:
        body = _EXACT.encode({"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]})
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None
    return Page(body, len(resources))
