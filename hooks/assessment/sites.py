"""When two body sites are the same place for a rule: same region, or one within the other ("limb" and "knee"), and
sides that do not contradict each other."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.facts import Site
from mappings.text.schema import load_places


def same_place(one: Site, other: Site) -> bool:
    within = load_places().within
    if not (
        one.region == other.region
        or one.region in within.get(other.region, ())
        or other.region in within.get(one.region, ())
    ):
        return False
    sides = {one.laterality, other.laterality}
    return sides != {"left", "right"}


def overlap(some: Iterable[Site], others: Iterable[Site]) -> bool:
    """Whether any site of the one is a site of the other; False when either names none."""
    rest = tuple(others)
    return any(same_place(one, other) for one in some for other in rest)


def fits(some: Iterable[Site], others: Iterable[Site]) -> bool:
    """Like `overlap`, but a side that names no site fits everything."""
    one, other = tuple(some), tuple(others)
    return not one or not other or overlap(one, other)


def regions(sites: Iterable[Site]) -> frozenset[str]:
    return frozenset(site.region for site in sites)


def shown(site: Site) -> str:
    """ "left forearm", "both knees", "face"."""
    place = (site.place or site.region).replace("-", " ")
    if site.laterality == "bilateral":
        return f"both sides: {place}"
    return f"{site.laterality} {place}" if site.laterality else place
