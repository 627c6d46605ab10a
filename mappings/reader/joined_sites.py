"""Places of the body that a panel keeps apart from the lesion: in itself, or in a member of their own ("Location: left
elbow" beside "Nodule: hard")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from msgspec.structs import replace

from mappings.facts import Lesion, Site
from mappings.reader.access import concept, items, mapping, text
from mappings.reader.analyte import observation_words
from mappings.reader.context import Collected
from mappings.reader.identity import target
from mappings.units import plain
from mappings.unread import Unread


def with_sites_of_panels(lesions: Iterable[Lesion], into: Collected) -> tuple[Lesion, ...]:
    """The lesions; one without a place that is a member of a panel, or the panel itself, with the place of that panel.
    Members that name different places lend none."""
    found = tuple(lesions)
    if all(lesion.sites for lesion in found):
        return found
    sites: dict[str, tuple[Site, ...]] = {}
    for ref, panel in into.by_reference.items():
        if type(panel) is Unread or panel.get("resourceType") != "Observation" or "hasMember" not in panel:
            continue  # what names members is never unread
        members = {r for m in items(panel["hasMember"]) if (r := target(mapping(m).get("reference"))) is not None}
        place = into.sites_of(panel.get("bodySite")) or _of_members(members, into)
        sites.update(dict.fromkeys((ref, *members), place) if place else {})
    return tuple(
        replace(lesion, sites=sites[lesion.ref]) if not lesion.sites and lesion.ref in sites else lesion
        for lesion in found
    )


def _of_members(members: Iterable[str], into: Collected) -> tuple[Site, ...]:
    named = {place for ref in sorted(members) if (place := _named(mapping(into.by_reference.get(ref)), into))}
    return named.pop() if len(named) == 1 else ()


def _named(member: Mapping[str, Any], into: Collected) -> tuple[Site, ...]:
    sites = into.sites_of(member.get("bodySite"))
    name = concept(member.get("code"))
    if sites or not any(plain(label) in _location_names() for label in name.texts):
        return sites
    coded = member.get("valueCodeableConcept")
    said = text(member.get("valueString"))
    return into.sites_of(coded if coded is not None else {"text": said} if said else None)


@cache
def _location_names() -> frozenset[str]:
    return frozenset(plain(name) for name in observation_words().location_names)
