"""The chart as it arrived: decoded JSON resources, and how completely each data need could be read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from msgspec import Struct, field

from mappings.facts import Completeness, Need, Quarantined
from mappings.versions import Version

Resource = Mapping[str, Any]


FHIR_ID = r"[A-Za-z0-9\-.]{1,64}"
"""a pattern for the id of a resource (https://hl7.org/fhir/R4/datatypes.html#id)."""


def as_list(value: object) -> list[Any]:
    """A JSON array; an empty one in place of anything else."""
    return value if isinstance(value, list) else []


class RawChart(Struct, frozen=True):
    """What the edge gathered for one patient.

    `resources` are decoded with exact decimals (`mappings.raw.decode`), Bundles already unpacked, in no order, possibly
    with duplicates, other patients' resources and broken ones: the reader sorts that out and names what it left out.
    `drafts` are the hook's draft orders (context.draftOrders, selections)."""

    patient_id: str
    resources: tuple[Resource, ...]
    completeness: Mapping[Need, Completeness] = field(default_factory=dict)
    quarantined: tuple[Quarantined, ...] = ()
    drafts: tuple[Resource, ...] = ()
    aliases: frozenset[str] = frozenset()
    """other ids of this patient, as the server itself said when it redirected a read of the merged one."""
    version: Version | None = None
    """the FHIR release of the resources; None: each one's own shape decides."""
    zone: tzinfo | None = None
    """the hospital's time zone, for dateTimes that name none; None: they count as UTC and stay marked."""
