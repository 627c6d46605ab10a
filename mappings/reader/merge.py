"""One chart out of many resources: repeats count once, corrections replace what they correct, contradictions are named.

The same laboratory result may be seen twice (prefetch and fetch, own and outside record), in an old and a corrected
form, or with two values at the same moment: the one that looks normal must never win by chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from mappings.dates import PartialDate
from mappings.facts import (
    SAME_TIME,
    Action,
    Biopsy,
    Finding,
    Imaging,
    Lesion,
    Medication,
    PatientFacts,
    Quarantined,
    Result,
)
from mappings.reader.copied import without_copies
from mappings.units import UnitTable

_Fact = TypeVar("_Fact", Result, Finding, Lesion, Imaging, Biopsy, Medication, Action)


class Stamp(Struct, frozen=True):
    """What an Observation says of its own place among others."""

    corrected: bool = False
    issued: PartialDate | None = None
    replaces: tuple[str, ...] = ()
    specimen: str | None = None


def merged(facts: PatientFacts, stamps: Mapping[str, Stamp], zone: tzinfo | None, units: UnitTable) -> PatientFacts:
    """The facts without repeats and replaced results; dateTimes as the hospital would write them, if its time zone is
    known."""
    if zone is not None:
        facts = replace(
            facts,
            results=_placed(facts.results, zone),
            findings=_placed(facts.findings, zone),
            lesions=_placed(facts.lesions, zone),
            medications=_placed(facts.medications, zone),
            imaging=_placed(facts.imaging, zone),
            biopsies=_placed(facts.biopsies, zone),
            actions=_placed(facts.actions, zone),
        )
    kept, replaced = _without_corrected(_each_once(facts.results), stamps)
    return replace(
        facts,
        lesions=without_copies(facts.lesions),
        results=_contradicting(kept, units),
        findings=tuple(dict.fromkeys(facts.findings)),
        quarantined=(*facts.quarantined, *replaced),
    )


def _placed(facts: Iterable[_Fact], zone: tzinfo) -> tuple[_Fact, ...]:
    return tuple(_in_zone(fact, zone) for fact in facts)


def _in_zone(fact: _Fact, zone: tzinfo) -> _Fact:
    changes: dict[str, Any] = {
        name: value.in_zone(zone)
        for name in fact.__struct_fields__
        if isinstance(value := getattr(fact, name), PartialDate) and value.instant is not None
    }
    return replace(fact, **changes) if changes else fact


def _each_once(results: tuple[Result, ...]) -> tuple[Result, ...]:
    """Without repeats. What nothing else was measured beside is none."""
    moments = [_moment(result) for result in results]
    crowded = {moment for moment, number in Counter(moments).items() if number > 1}
    seen: set[object] = set()
    kept = []
    for moment, result in zip(moments, results, strict=True):
        if moment in crowded:
            key = _key(result)
            if key in seen:
                continue
            seen.add(key)
        kept.append(result)
    return tuple(kept)


def _moment(result: Result) -> tuple[object, ...]:
    """The same for all that `_key` is the same for."""
    date = result.date
    return (result.analyte, None if date is None else date.instant or date.earliest)


def _key(result: Result) -> object:
    if result.from_text or result.date is None or (result.low is None and result.high is None):
        return (result.ref, result.analyte, result.antibody, result.word, result.low, result.high, result.date)
    return (
        result.analyte,
        result.antibody,
        result.date.earliest,
        result.date.instant,
        result.low,
        result.high,
        result.unit,
        result.specimen,
        result.status,
    )


def _without_corrected(
    results: tuple[Result, ...], stamps: Mapping[str, Stamp]
) -> tuple[tuple[Result, ...], tuple[Quarantined, ...]]:
    """Leaves out what another result says that it replaces, and what stands beside a corrected result of the same
    moment or specimen without being younger."""
    named = {ref for stamp in stamps.values() for ref in stamp.replaces}
    corrected = [r for r in results if stamps.get(r.ref, _NONE).corrected]
    if not corrected and not named:
        return results, ()
    kept: list[Result] = []
    replaced: list[Quarantined] = []
    for result in results:
        by_another = any(_corrects(other, result, stamps) for other in corrected)
        if result.ref in named or by_another:
            replaced.append(Quarantined(result.ref, "replaced by a corrected result"))
        else:
            kept.append(result)
    return tuple(kept), tuple(dict.fromkeys(replaced))


def _corrects(new: Result, old: Result, stamps: Mapping[str, Stamp]) -> bool:
    if new is old or new.ref == old.ref or (new.analyte, new.antibody) != (old.analyte, old.antibody):
        return False
    ours, theirs = stamps.get(new.ref, _NONE), stamps.get(old.ref, _NONE)
    same_specimen = ours.specimen is not None and ours.specimen == theirs.specimen
    if not same_specimen and not _same_moment(new, old):
        return False
    if ours.issued is None or theirs.issued is None:
        return not theirs.corrected
    return theirs.issued.sort_key < ours.issued.sort_key if theirs.corrected else not _younger(theirs, ours)


def _younger(one: Stamp, other: Stamp) -> bool:
    return one.issued is not None and other.issued is not None and one.issued.sort_key > other.issued.sort_key


def _same_moment(one: Result, other: Result) -> bool:
    """The same instant; two results of one day without a time may be two draws."""
    return (
        one.date is not None
        and other.date is not None
        and one.date.instant is not None
        and one.date.instant == other.date.instant
    )


def _contradicting(results: tuple[Result, ...], units: UnitTable) -> tuple[Result, ...]:
    """Different values of one analyte at one moment: those outside the laboratory's own range stand, the others are not
    relied on; when the laboratory does not tell them apart none is, and when all lie inside none contradicts. Of what
    changes within minutes the lowest stands (`lowest_stands` in `analytes.yaml`)."""
    groups: dict[tuple[str, object, object], list[Result]] = {}
    for result in results:
        if result.usable and result.canonical_low is not None and result.date and result.date.instant:
            groups.setdefault((result.analyte, result.antibody, result.date.instant), []).append(result)
    doubtful: set[int] = set()
    for (analyte, *_), group in groups.items():
        if len(group) < 2 or len({(r.canonical_low, r.canonical_high) for r in group}) < 2:
            continue  # most stand alone: numbers are slow to hash
        known = units.analytes.get(analyte)
        if known is not None and known.lowest_stands:
            least = min(r.canonical_low for r in group if r.canonical_low is not None)
            doubtful |= {id(r) for r in group if r.canonical_low != least}
            continue
        outside = [r for r in group if _inside(r) is False]
        if outside:
            doubtful |= {id(r) for r in group if _inside(r) is not False}
        elif not all(_inside(r) for r in group):
            doubtful |= {id(r) for r in group}
    if not doubtful:
        return results
    return tuple(replace(r, problem=SAME_TIME) if id(r) in doubtful else r for r in results)


def _inside(result: Result) -> bool | None:
    """By the laboratory's own flag or range; None when it gives neither."""
    if result.flag is not None:
        return result.flag == "normal"
    low, high = result.range_low, result.range_high
    if low is not None and result.high is not None and result.high < low:
        return False
    if high is not None and result.low is not None and result.low > high:
        return False
    both = low is not None and high is not None and result.low is not None and result.high is not None
    return True if both else None


_NONE = Stamp()
