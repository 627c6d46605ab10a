"""When two body sites are the same place for a rule: same region, or one within the other ("limb" and "knee"), and
sides that do not contradict each other."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.facts import Site
from mappings.text.schema import load_places

_OPPOSITE = (("left", "right"), ("right", "left"))


def same_place(one: Site, other: Site) -> bool:
    if one.region != other.region and not _within(one.region, other.region):
        return False
    return (one.laterality, other.laterality) not in _OPPOSITE


def _within(one: str, other: str) -> bool:
    """Whether one region is a part of the other."""
    within = load_places().within
    return one in within.get(other, ()) or other in within.get(one, ())


def overlap(some: Iterable[Site], others: Iterable[Site]) -> bool:
    """Whether any site of the one is a site of the other; False when either names none."""
    rest = tuple(others)
    if not rest:
        return False
    return any(same_place(one, other) for one in some for other in rest)


def fits(some: Iterable[Site], others: Iterable[Site]) -> bool:
    """Like `overlap`, but a side that names no site fits everything."""
    one, other = tuple(some), tuple(others)
    return not one or not other or overlap(one, other)


def regions(sites: Iterable[Site]) -> frozenset[str]:
    return frozenset([site.region for site in sites])


def shown(site: Site) -> str:
    """ "left forearm", "both knees", "face"."""
    place = (site.place or site.region).replace("-", " ")
    if site.laterality == "bilateral":
        return f"both sides: {place}"
    return f"{site.laterality} {place}" if site.laterality else place
