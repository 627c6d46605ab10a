"""The differential (rule 2.7): which mimics are live for this patient, why, and the test that separates them."""

from __future__ import annotations

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
    raised = frozenset(flag.id for flag in flags)
    for mimic, recorded in zip(knowledge.mimics, on_record, strict=True):
        described = _described(mimic.any, lesions, flags, raised, states)
        if not (recorded or described):
            continue
        hits = recorded | described
        told = [kind for kind in POINTERS if kind in hits]
        why = "; ".join(dict.fromkeys(mimic.reasons[kind] for kind in told if kind in mimic.reasons))
        evidence = tuple(dict.fromkeys(ref for kind in told for ref in hits[kind]))
        entry = Differential(mimic.contract_id or mimic.id, mimic.because.format(why=why), mimic.test, evidence)
        (first if mimic.first or not states.isdisjoint(mimic.first_when) else rest).append(entry)
    seen: dict[str, Differential] = {}
    for entry in (*first, *rest):
        seen.setdefault(entry.id, entry)
    return tuple(seen.values())


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


def _described(
    wanted: Pointers, lesions: Lesions, flags: tuple[RedFlag, ...], raised: frozenset[str], states: frozenset[str]
) -> _Hits:
    """The pointers by lesion, red flag (`raised`: their ids) and judgement."""
    found: _Hits = {}
    deciding = lesions.deciding
    if wanted.named and (refs := tuple(le.ref for le in deciding if not le.mimics.isdisjoint(wanted.named))):
        found["named"] = refs
    if wanted.places and (refs := tuple(le.ref for le in deciding if _at(le, wanted.places))):
        found["places"] = refs
    if wanted.lesion and (refs := tuple(le.ref for le in deciding if any(getattr(le, name) for name in wanted.lesion))):
        found["lesion"] = refs
    if not raised.isdisjoint(wanted.flags) and (
        refs := tuple(ref for flag in flags if flag.id in wanted.flags for ref in flag.evidence)
    ):
        found["flags"] = refs
    if not states.isdisjoint(wanted.state):
        found["state"] = ()
    return found


def _at(lesion: Lesion, places: tuple[str, ...]) -> bool:
    return any(site.place in places for site in lesion.sites)
