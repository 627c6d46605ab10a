"""Phosphate, the calcium-phosphate product and parathyroid hormone (rule 2.3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from hooks.assessment.calcium import Calcium
from hooks.assessment.labs import Judged, judge
from hooks.chart import Chart
from hooks.knowledge.criteria_schema import FallbackRange, PhosphateRule
from hooks.knowledge.messages import Messages
from hooks.model import LabCriterion
from mappings.facts import Result


class Phosphate(Struct, frozen=True):
    """The criterion, and the newest value in mmol/L where it is one exact number."""

    criterion: LabCriterion
    canonical: Decimal | None = None

    @property
    def uncertain(self) -> bool:
        """Unknown or borderline: caps the grade at probable."""
        return self.criterion.status in ("unknown", "borderline", "indeterminate")


def judge_phosphate(chart: Chart, rule: PhosphateRule, messages: Messages) -> Phosphate:
    criterion, result = _judge(chart, "phosphate", rule.stale_days, rule.fallback, messages)
    exact = result is not None and result.canonical_low == result.canonical_high
    return Phosphate(criterion, result.canonical_low if exact and result else None)


def judge_pth(chart: Chart, stale_days: int, messages: Messages) -> LabCriterion:
    """Only the laboratory's own range counts; a high value alone changes no grade."""
    return _judge(chart, "pth", stale_days, (), messages)[0]


def judge_product(
    chart: Chart, calcium: Calcium, phosphate: Phosphate, rule: PhosphateRule
) -> Literal["alternative", "caution"] | None:
    """Calcium × phosphate in mmol²/L² against the limits of the age; None when either is not a number or the age is
    unknown and both limits could apply."""
    if calcium.canonical is None or phosphate.canonical is None or chart.age is None or not calcium.usable:
        return None
    product = calcium.canonical * phosphate.canonical
    youngest, oldest = chart.age
    for limit in rule.product:
        if youngest < limit.age_from or (limit.age_below is not None and oldest >= limit.age_below):
            continue
        if limit.alternative_above is not None and product > limit.alternative_above:
            return "alternative"
        return "caution" if product > limit.caution_above else None
    return None


def _judge(
    chart: Chart, analyte: str, stale_days: int, fallbacks: tuple[FallbackRange, ...], messages: Messages
) -> tuple[LabCriterion, Result | None]:
    result = chart.latest(analyte, max_age_days=stale_days)
    if result is None:
        need = chart.facts.need("observations")
        key = "lab.none" if need.state == "complete" else "lab.not-read"
        older = chart.latest(analyte)
        if older is not None:
            key = "lab.old"
        return LabCriterion("unknown", messages.say(key, reason=need.reason or need.state, days=stale_days)), None
    judged = judge(result, chart, fallbacks)
    return _describe(judged, messages), result


def _describe(judged: Judged, messages: Messages) -> LabCriterion:
    result = judged.result
    numeric = result.low is not None and result.low == result.high
    shown = result.low if result.low is not None else result.high
    value = f"{result.comparator or ''}{shown} {result.unit or ''}".strip()
    key = f"lab.{judged.category}" if shown is not None else "lab.unitless" if result.unitless else "lab.worded"
    status = "indeterminate" if judged.category == "unclear" else judged.category
    return LabCriterion(
        status=status,
        because=messages.say(key, value=value, word=result.word or result.flag, date=str(result.date)),
        category=judged.category,
        value=result.low if numeric else None,
        unit=result.unit if numeric else None,
        low=judged.low,
        high=judged.high,
        range_source=judged.range_source,
        date=str(result.date),
        evidence=(result.ref,),
    )
