"""The differential (rule 2.7): which mimics are live for this patient, why, and the test that separates them."""

from __future__ import annotations

from msgspec import Struct

from hooks.assessment.labs import judge
from hooks.assessment.lesions import Lesions
from hooks.chart import Chart
from hooks.knowledge.mimics import Mimics, Pointers
from hooks.model import Differential, RedFlag
from mappings.facts import Lesion


def find_mimics(
    chart: Chart, lesions: Lesions, flags: tuple[RedFlag, ...], states: frozenset[str], knowledge: Mimics
) -> tuple[Differential, ...]:
    """Live mimics, those that cap the grade first; `states` are judgements such as "scrotum-only"."""
    first: list[Differential] = []
    rest: list[Differential] = []
    on_record = _on_record(chart, knowledge)
    seen = _Seen.of(lesions, flags)
    pointed = _pointed(seen, lesions.deciding, states, knowledge)
    for place, mimic in enumerate(knowledge.mimics):
        hits = on_record[place]
        if place in pointed:
            hits = hits | _described(mimic.any, seen, lesions.deciding, flags, states)
        if not hits:
            continue
        told = [kind for kind in POINTERS if kind in hits]
        why = "; ".join(dict.fromkeys(mimic.reasons[kind] for kind in told if kind in mimic.reasons))
        evidence = tuple(dict.fromkeys(ref for kind in told for ref in hits[kind]))
        entry = Differential(mimic.contract_id or mimic.id, mimic.because.format(why=why), mimic.test, evidence)
        (first if mimic.first or not states.isdisjoint(mimic.first_when) else rest).append(entry)
    chosen: dict[str, Differential] = {}
    for entry in (*first, *rest):
        chosen.setdefault(entry.id, entry)
    return tuple(chosen.values())


POINTERS = ("concepts", "named", "biopsy", "high", "places", "lesion", "flags", "imaging", "state")
"""kinds of pointers, in the order in which they are told."""
_Hits = dict[str, tuple[str, ...]]
"""pointer that holds → evidence."""


def _on_record(chart: Chart, knowledge: Mimics) -> tuple[_Hits, ...]:
    """The pointers of each mimic that lesions have no part in, found once for a chart."""
    key = (POINTERS, id(knowledge))
    if key not in chart.memory:
        chart.memory[key] = tuple(_recorded(mimic.any, chart) for mimic in knowledge.mimics)
    found: tuple[_Hits, ...] = chart.memory[key]
    return found


def _recorded(wanted: Pointers, chart: Chart) -> _Hits:
    hits: _Hits = {}
    found = chart.findings(*wanted.concepts, history=wanted.history) if wanted.concepts else ()
    if found:
        hits["concepts"] = tuple(f.ref for f in found)
    histology = tuple(b.ref for b in chart.facts.biopsies if not b.other.isdisjoint(wanted.biopsy))
    if histology:
        hits["biopsy"] = histology
    for analyte in wanted.high:
        result = chart.latest(analyte)
        if result is not None and judge(result, chart, ()).category == "high":
            hits["high"] = (result.ref,)
    imaging = tuple(i.ref for i in chart.facts.imaging if i.finding in wanted.imaging)
    if imaging:
        hits["imaging"] = imaging
    return hits


class _Seen(Struct, frozen=True):
    """All that the lesions and flags say together: what none of them says need not be looked for in each."""

    named: frozenset[str]
    places: frozenset[str]
    flags: frozenset[str]

    @classmethod
    def of(cls, lesions: Lesions, flags: tuple[RedFlag, ...]) -> _Seen:
        return cls(
            frozenset[str]().union(*[le.mimics for le in lesions.deciding]),
            frozenset([site.place for le in lesions.deciding for site in le.sites]),
            frozenset([flag.id for flag in flags]),
        )


def _pointed(seen: _Seen, deciding: tuple[Lesion, ...], states: frozenset[str], knowledge: Mimics) -> set[int]:
    """The places of the mimics that have a pointer by lesion, red flag or judgement."""
    said = [("named", name) for name in seen.named]
    said += [("places", place) for place in seen.places]
    said += [("flags", flag) for flag in seen.flags]
    said += [("state", state) for state in states]
    said += [("lesion", name) for name in knowledge.attributes if any(getattr(le, name) for le in deciding)]
    found: set[int] = set()
    for pointer in said:
        if pointer in knowledge.pointed:
            found |= knowledge.pointed[pointer]
    return found


def _described(
    wanted: Pointers, seen: _Seen, deciding: tuple[Lesion, ...], flags: tuple[RedFlag, ...], states: frozenset[str]
) -> _Hits:
    """The pointers by lesion, red flag and judgement."""
    found: _Hits = {}
    if not seen.named.isdisjoint(wanted.named):
        found["named"] = tuple([le.ref for le in deciding if not le.mimics.isdisjoint(wanted.named)])
    if not seen.places.isdisjoint(wanted.places):
        found["places"] = tuple([le.ref for le in deciding if any(site.place in wanted.places for site in le.sites)])
    if wanted.lesion and (refs := tuple(le.ref for le in deciding if any(getattr(le, name) for name in wanted.lesion))):
        found["lesion"] = refs
    if not seen.flags.isdisjoint(wanted.flags) and (
        refs := tuple(ref for flag in flags if flag.id in wanted.flags for ref in flag.evidence)
    ):
        found["flags"] = refs
    if not states.isdisjoint(wanted.state):
        found["state"] = ()
    return found
