"""Connective tissue disease (rule 2.1): which, how sure, which tier."""

from __future__ import annotations

from typing import Literal

from hooks.chart import Chart
from hooks.knowledge.criteria_schema import CtdRule, Diagnosis
from hooks.knowledge.messages import Messages
from hooks.model import CtdCriterion
from mappings.facts import Finding


def judge_ctd(chart: Chart, rule: CtdRule, messages: Messages) -> CtdCriterion:
    """met with the best tier among the surest diagnoses; unknown when Conditions could not be read and none is seen."""
    hits: dict[str, list[Finding]] = {}
    for diagnosis in rule.diagnoses:
        found = chart.findings(*diagnosis.concepts, history=rule.resolved_counts)
        if found:
            hits[diagnosis.id] = list(found)
    if not hits:
        need = chart.facts.need("conditions")
        if need.state == "complete":
            return CtdCriterion("not-met", messages.say("ctd.none"))
        return CtdCriterion("unknown", messages.say("ctd.not-read", reason=need.reason or need.state))
    confirmed = {key: found for key, found in hits.items() if any(f.certainty == "confirmed" for f in found)}
    certainty: Literal["confirmed", "suspected"] = "confirmed" if confirmed else "suspected"
    counted = _without_adult_twin(confirmed or hits, rule)
    diagnoses = sorted((d for d in rule.diagnoses if d.id in counted), key=lambda d: d.tier)
    findings = [f for d in diagnoses for f in counted[d.id]]
    key = "ctd.resolved" if all(f.course == "resolved" for f in findings) else f"ctd.{certainty}"
    return CtdCriterion(
        "met",
        messages.say(key, names=", ".join(d.name for d in diagnoses)),
        certainty=certainty,
        tier=diagnoses[0].tier,
        diagnoses=tuple(d.id for d in diagnoses),
        evidence=tuple(dict.fromkeys(f.ref for f in findings)),
    )


def named(diagnoses: tuple[str, ...], rule: CtdRule) -> tuple[Diagnosis, ...]:
    return tuple(d for d in rule.diagnoses if d.id in diagnoses)


def _without_adult_twin(hits: dict[str, list[Finding]], rule: CtdRule) -> dict[str, list[Finding]]:
    """A code for juvenile dermatomyositis sits under dermatomyositis in most hierarchies: the same Condition does not
    count twice, or a child would be taken for an adult with dermatomyositis (cancer screening, rule R3)."""
    juvenile = {f.ref for key in rule.juvenile for f in hits.get(key, ())}
    kept = {}
    for key, found in hits.items():
        rest = [f for f in found if key not in rule.adult_dermatomyositis or f.ref not in juvenile]
        if rest:
            kept[key] = rest
    return kept
