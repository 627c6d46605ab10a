"""Notes of an assessment: what is worth telling and changes no grade (rules 2.3, 2.6, 2.8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hooks.assessment.ctd import named
from hooks.assessment.judged import Judged
from hooks.chart import Chart
from hooks.knowledge import Knowledge
from hooks.restricted import restricted


def notes(judged: Judged, chart: Chart, knowledge: Knowledge) -> tuple[str, ...]:
    """One sentence each. A note carries no evidence that could be hidden later, so that none is made of what a
    restricted entry tells."""
    kept = restricted(chart.facts)
    return tuple(text for text, evidence in _found(judged, chart, knowledge) if kept.isdisjoint(evidence))


def _found(judged: Judged, chart: Chart, knowledge: Knowledge) -> Iterator[tuple[str, Iterable[str]]]:
    say, criteria = knowledge.messages.say, knowledge.criteria
    calcium, phosphate, ctd = judged.calcium.criterion, judged.phosphate.criterion, judged.ctd
    fine = calcium.status in ("normal", "stale") and phosphate.status == "normal"
    if judged.pth.status == "high" and fine:
        yield say("note.pth-high"), (*judged.pth.evidence, *calcium.evidence, *phosphate.evidence)
    if phosphate.status == "low":
        yield say("note.phosphate-low"), phosphate.evidence
    if judged.product == "caution":
        yield say("note.product-caution"), (*calcium.evidence, *phosphate.evidence)
    if disorders := _mineral_disorders(chart, knowledge):
        yield say("note.mineral-disorder", names=", ".join(disorders)), ()
    if extravasations := chart.findings(criteria.iatrogenic.extravasation):
        yield say("note.extravasation"), (finding.ref for finding in extravasations)
    if injected := [le.ref for le in judged.lesions.deciding if le.injection_at_site]:
        yield say("note.injection"), injected
    if judged.flags.ask_cancer_dates:
        yield say("r3.ask"), ctd.evidence
    if chart.facts.not_understood:
        yield say("note.not-understood"), ()
    for diagnosis in named(ctd.diagnoses, criteria.ctd):
        told = {"name": diagnosis.name, "frequency": diagnosis.frequency, "latency": diagnosis.latency}
        yield say("note.latency", **told), ctd.evidence


def _mineral_disorders(chart: Chart, knowledge: Knowledge) -> list[str]:
    """Active ones of the record by name; with these, not alone, deposits are metastatic (rule 2.6)."""
    kept, known = restricted(chart.facts), knowledge.criteria.mineral_disorders.names
    return [name for concept, name in known.items() if any(f.ref not in kept for f in chart.findings(concept))]
