"""Extent: localized, extensive or unknown (section 4 of the clinical specification)."""

from __future__ import annotations

from collections.abc import Iterable

from hooks.assessment.sites import regions
from hooks.knowledge.criteria_schema import ExtentRule
from hooks.model import Extent
from mappings.facts import Lesion, Site


def judge_extent(
    lesions: Iterable[Lesion], calcified: Iterable[Site], rule: ExtentRule
) -> tuple[Extent, frozenset[str]]:
    """(extent, regions). Left and right of one region count once; imaging adds the regions where it shows calcium."""
    found = tuple(lesions)
    placed = [(le, regions(le.sites)) for le in found]
    where = frozenset[str]().union(*[there for _, there in placed], regions(calcified))
    sizes = [le.size_cm for le in found if le.size_cm is not None]
    count, open_ended = _count(placed)
    wide = len(where) > rule.regions_localized
    multiple = any(le.multiple and le.count is None for le in found) and len(where) > 1
    if wide or multiple or any(le.deep for le in found) or (sizes and max(sizes) > rule.size_localized_cm):
        return "extensive", where
    if count > rule.lesions_localized:
        return "extensive", where
    if not where or open_ended:
        return "unknown", where
    return "localized", where


def _count(placed: Iterable[tuple[Lesion, frozenset[str]]]) -> tuple[int, bool]:
    """(lesions surely there, whether there may be more). Descriptions of the same regions are one; both sides of one
    place without a number are two. What a text describes without a place is what it describes at its only place."""
    groups: dict[frozenset[str], list[Lesion]] = {}
    by_text: dict[str, set[frozenset[str]]] = {}
    for lesion, where in placed:
        if where:
            by_text.setdefault(lesion.ref, set()).add(where)
    for lesion, there in placed:
        only = by_text.get(lesion.ref, ())
        where = next(iter(only)) if not there and len(only) == 1 else there
        groups.setdefault(where, []).append(lesion)
    total, open_ended = 0, False
    for group in groups.values():
        known = [n for n in map(_known_count, group) if n is not None]
        total += max(known, default=0)
        open_ended = open_ended or not known or any(le.multiple for le in group)
    return total, open_ended


def _known_count(lesion: Lesion) -> int | None:
    if lesion.count is not None:
        return lesion.count
    if not lesion.multiple and len(lesion.sites) == 1 and lesion.sites[0].laterality == "bilateral":
        return 2
    return None
