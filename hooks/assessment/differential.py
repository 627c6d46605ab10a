"""The differential (rule 2.7): which mimics are live for this patient, why, and the test that separates them."""

from __future__ import annotations

from collections.abc import Iterable

from hooks.assessment.labs import judge
from hooks.assessment.lesions import Lesions
from hooks.chart import Chart
from hooks.knowledge.mimics import Mimic, Mimics
from hooks.model import Differential, RedFlag


def find_mimics(
    chart: Chart, lesions: Lesions, flags: tuple[RedFlag, ...], states: frozenset[str], knowledge: Mimics
) -> tuple[Differential, ...]:
    """Live mimics, those that cap the grade first; `states` are judgements such as "scrotum-only"."""
    first: list[Differential] = []
    rest: list[Differential] = []
    for mimic in knowledge.mimics:
        hits = dict(_hits(mimic, chart, lesions, flags, states))
        if not hits:
            continue
        why = "; ".join(dict.fromkeys(mimic.reasons[kind] for kind in hits if kind in mimic.reasons))
        evidence = tuple(dict.fromkeys(ref for refs in hits.values() for ref in refs))
        entry = Differential(mimic.contract_id or mimic.id, mimic.because.format(why=why), mimic.test, evidence)
        (first if mimic.first or states & set(mimic.first_when) else rest).append(entry)
    seen: dict[str, Differential] = {}
    for entry in (*first, *rest):
        seen.setdefault(entry.id, entry)
    return tuple(seen.values())


def _hits(
    mimic: Mimic, chart: Chart, lesions: Lesions, flags: tuple[RedFlag, ...], states: frozenset[str]
) -> Iterable[tuple[str, tuple[str, ...]]]:
    """(pointer, evidence) of every pointer that holds."""
    any_of = mimic.any
    found = chart.findings(*any_of.concepts, history=any_of.history) if any_of.concepts else ()
    if found:
        yield "concepts", tuple(f.ref for f in found)
    deciding = lesions.deciding
    named = tuple(le.ref for le in deciding if le.mimics & set(any_of.named))
    if named:
        yield "named", named
    histology = tuple(b.ref for b in chart.facts.biopsies if b.other & set(any_of.biopsy))
    if histology:
        yield "biopsy", histology
    for analyte in any_of.high:
        result = chart.latest(analyte)
        if result is not None and judge(result, chart, ()).category == "high":
            yield "high", (result.ref,)
    places = tuple(le.ref for le in deciding if {s.place for s in le.sites} & set(any_of.places))
    if places:
        yield "places", places
    attributes = tuple(le.ref for le in deciding if any(getattr(le, name) for name in any_of.lesion))
    if attributes:
        yield "lesion", attributes
    raised = tuple(ref for flag in flags if flag.id in any_of.flags for ref in flag.evidence)
    if raised:
        yield "flags", raised
    imaging = tuple(i.ref for i in chart.facts.imaging if i.finding in any_of.imaging)
    if imaging:
        yield "imaging", imaging
    if states & set(any_of.state):
        yield "state", ()
