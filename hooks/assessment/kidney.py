"""Kidney function: eGFR as a number, dialysis, transplant, coded stage 4 and 5 (rules 2.3 Renal, 2.5)."""

from __future__ import annotations

from typing import Literal

from hooks.chart import Chart
from hooks.knowledge.criteria_schema import KidneyRule
from hooks.knowledge.messages import Messages
from hooks.model import KidneyCriterion


def judge_kidney(chart: Chart, rule: KidneyRule, messages: Messages) -> KidneyCriterion:
    """severe: eGFR below 30, dialysis, transplant, or coded stage 4 or 5 that no number contradicts."""
    dialysis = chart.findings(*rule.dialysis_concepts)
    transplant = chart.findings(*rule.transplant_concepts, history=True)
    coded = chart.findings(*rule.severe_concepts, suspected=False)
    result = chart.latest("egfr", max_age_days=rule.valid_days)
    if dialysis or transplant:
        because = messages.say("kidney.dialysis" if dialysis else "kidney.transplant")
        return KidneyCriterion(
            "severe",
            because,
            egfr=result.low if result else None,
            unit=result.unit if result else None,
            date=str(result.date) if result else None,
            dialysis=bool(dialysis),
            transplant=bool(transplant),
            evidence=tuple(f.ref for f in (*dialysis, *transplant)),
        )
    if result is not None and (result.canonical_low is not None or result.canonical_high is not None):
        low, high = result.canonical_low, result.canonical_high
        status: Literal["normal", "reduced", "severe"] | None = None
        if high is not None and high < rule.severe_egfr_below:
            status = "severe"
        elif low is not None and low >= rule.reduced_egfr_below:
            status = "normal"
        elif low is not None and low >= rule.severe_egfr_below:
            status = "reduced"
        if status is not None:
            shown = f"{result.comparator or ''}{low if low is not None else high}"
            return KidneyCriterion(
                status,
                messages.say(f"kidney.{status}", value=shown, date=str(result.date)),
                egfr=low if low is not None else high,
                unit=result.unit,
                date=str(result.date),
                evidence=(result.ref,),
            )
    if coded:
        return KidneyCriterion("severe", messages.say("kidney.coded"), evidence=tuple(f.ref for f in coded))
    return KidneyCriterion("unknown", messages.say("kidney.unknown"))
