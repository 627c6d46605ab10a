"""Findings copied from note to note: "nodule for 3 months", word for word, in this year's note and in that of two years
ago. The age was true when it was first written."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from mappings.facts import Lesion
from mappings.text.common import load_common
from mappings.text.folding import fold


def without_copies(lesions: tuple[Lesion, ...]) -> tuple[Lesion, ...]:
    """The lesions, those that repeat an earlier description with its age word for word begun when that one did."""
    least = load_common().copies.words
    aged = [le for le in lesions if le.basis == "text" and _age(le) is not None and len(le.label.split()) >= least]
    if len(aged) < 2:
        return lesions
    groups: dict[Lesion, list[Lesion]] = {}
    for lesion in aged:
        groups.setdefault(_words_alone(lesion), []).append(lesion)
    return tuple(_begun(le, groups.get(_words_alone(le), ())) for le in lesions) if len(groups) < len(aged) else lesions


def _words_alone(lesion: Lesion) -> Lesion:
    label = " ".join(fold(lesion.label).split())
    return replace(lesion, ref="", label=label, onset=None, recorded=None, updated=None, confidential=False)


def _begun(lesion: Lesion, alike: Iterable[Lesion]) -> Lesion:
    age = _age(lesion)
    if age is None:
        return lesion
    apart = load_common().copies.days
    onsets = [
        other.onset
        for other in alike
        if other.ref != lesion.ref and other.onset is not None and abs((_age(other) or 0) - age) <= apart
    ]
    earliest = min(onsets, key=lambda onset: onset.earliest, default=None)
    earlier = earliest is not None and lesion.onset is not None and earliest.earliest < lesion.onset.earliest
    return replace(lesion, onset=earliest) if earlier else lesion


def _age(lesion: Lesion) -> int | None:
    """Days from onset to record, when both are told."""
    if lesion.onset is None or lesion.recorded is None:
        return None
    return (lesion.recorded.earliest - lesion.onset.earliest).days
