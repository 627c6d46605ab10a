"""Kidney function: eGFR as a number, dialysis, transplant, coded stage 4 and 5 (rules 2.3 Renal, 2.5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from hooks.assessment.labs import surely_below
from hooks.chart import Chart
from hooks.knowledge.criteria_schema import KidneyRule
from hooks.knowledge.messages import Messages
from hooks.model import KidneyCriterion
from mappings.facts import Finding, Result

Status = Literal["normal", "reduced", "severe", "unknown"]


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
            egfr=_number(result) if result else None,
            comparator=result.comparator if result else None,
            unit=result.unit if result else None,
            date=str(result.date) if result else None,
            dialysis=bool(dialysis),
            transplant=bool(transplant),
            evidence=tuple(f.ref for f in (*dialysis, *transplant)),
        )
    number = _number(result) if result is not None else None
    if result is None or number is None:
        return _coded(coded, messages) or KidneyCriterion("unknown", messages.say("kidney.unknown"))
    status, key = _place(result, rule)
    judged = _coded(coded, messages) if status == "unknown" and not _not_severe(result, rule) else None
    if judged is not None:
        return judged
    return KidneyCriterion(
        status,
        messages.say(key, value=f"{result.comparator or ''}{number}", date=str(result.date)),
        egfr=number,
        comparator=result.comparator,
        unit=result.unit,
        date=str(result.date),
        evidence=(result.ref,),
    )


def egfr_below(kidney: KidneyCriterion, limit: Decimal) -> bool:
    """Whether the eGFR can be below the limit, and isn't known to be from it on: ">20" can be below 45, "<15" is below
    15, 15 is not."""
    if kidney.egfr is None:
        return False
    return kidney.egfr < limit or (kidney.egfr == limit and kidney.comparator == "<")


def _coded(coded: tuple[Finding, ...], messages: Messages) -> KidneyCriterion | None:
    if not coded:
        return None
    return KidneyCriterion("severe", messages.say("kidney.coded"), evidence=tuple(f.ref for f in coded))


def _number(result: Result) -> Decimal | None:
    return result.low if result.low is not None else result.high


def _not_severe(result: Result, rule: KidneyRule) -> bool:
    """Whether the number alone says that function is not severely reduced, against what is coded."""
    return result.canonical_low is not None and result.canonical_low >= rule.severe_egfr_below


def _place(result: Result, rule: KidneyRule) -> tuple[Status, str]:
    """The status that every value of the result's interval has, and the key of the sentence that tells it."""
    low, high = result.canonical_low, result.canonical_high
    if surely_below(low, high, result.comparator, rule.severe_egfr_below):
        return "severe", "kidney.severe"
    if low is not None and low >= rule.reduced_egfr_below:
        return "normal", "kidney.normal"
    if _not_severe(result, rule) and surely_below(low, high, result.comparator, rule.reduced_egfr_below):
        return "reduced", "kidney.reduced"
    return "unknown", "kidney.open"
