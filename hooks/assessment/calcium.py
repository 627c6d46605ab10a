"""Serum calcium (rule 2.3): ionized beats total, the laboratory's own range beats the fallback, low albumin makes a
total calcium indeterminate, and nothing missing, future, preliminary or unreadable is ever normal."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from hooks.assessment.kidney import egfr_below
from hooks.assessment.labs import (
    Category,
    Judged,
    fallback_for,
    judge,
    place,
    place_fallback,
    surely_above,
    surely_below,
)
from hooks.chart import Chart
from hooks.knowledge.criteria_schema import CalciumRule
from hooks.knowledge.messages import Messages
from hooks.model import KidneyCriterion, LabCriterion, LabStatus
from mappings.facts import SAME_TIME, Result

_CAUTION: tuple[Category, ...] = ("high", "low", "unclear", "borderline", "normal")
_REASSURING: frozenset[LabStatus] = frozenset({"normal", "stale", "borderline"})
"""what the newest calcium alone may say, and one with a newer beside it that was not read may not"""
KINDS = {"calcium-ionized": "ionized", "calcium-total": "total", "calcium-adjusted": "adjusted"}
"""the kind of calcium that each analyte is."""


class Calcium(Struct, frozen=True):
    """The criterion, and what other rules need of it."""

    criterion: LabCriterion
    by_fallback: bool = False
    stale: bool = False
    albumin_low: bool = False
    albumin_known: bool = False
    canonical: Decimal | None = None
    """mmol/L of the total calcium that was judged, for the calcium-phosphate product."""

    @property
    def usable(self) -> bool:
        return self.criterion.status in ("normal", "high", "low", "borderline", "stale")


def judge_calcium(chart: Chart, kidney: KidneyCriterion, rule: CalciumRule, messages: Messages) -> Calcium:
    """The calcium that counts on this day, with the reason; `unknown` when there is none."""
    current_days = rule.current_days_at_risk if _at_risk(chart, kidney, rule) else rule.current_days
    ionized = _newest(chart, "calcium-ionized", rule)
    total = _newest(chart, "calcium-total", rule) or _newest(chart, "calcium-adjusted", rule)
    chosen = _choose(chart, ionized, total, current_days)
    critical = _critical(chart, rule)
    if chosen is None:
        return Calcium(_unknown(chart, rule, messages, critical))
    if _newer_unreadable(chart, chosen, rule):
        return Calcium(
            _describe(
                Judged(chosen, "unclear", None), "indeterminate", messages.say("calcium.newer-unreadable"), critical
            )
        )
    judged = judge(chosen, chart, rule.fallback)
    stale = chart.age_in_days(chosen.date) > current_days
    albumin = _albumin(chart, chosen, rule)
    is_total = chosen.analyte != "calcium-ionized"
    albumin_low = is_total and _albumin_low(albumin, rule)
    discordant = _discordant(chart, chosen, rule)
    exact = is_total and chosen.canonical_low == chosen.canonical_high

    def answer(criterion: LabCriterion) -> Calcium:
        return Calcium(
            criterion,
            by_fallback=judged.range_source == "fallback",
            stale=stale,
            albumin_low=albumin_low,
            albumin_known=albumin is not None or not is_total,
            canonical=chosen.canonical_low if exact else None,
        )

    if albumin is not None and albumin_low:
        because = messages.say("calcium.albumin-low", albumin=_amount(albumin), limit=rule.albumin_low_g_per_l)
        return answer(_describe(judged, "indeterminate", because, critical, discordant, (albumin.ref,)))
    if is_total and albumin is not None and _adjustment_disagrees(chart, judged, albumin, kidney, rule):
        because = messages.say("calcium.adjusted-disagrees", albumin=_amount(albumin))
        return answer(_describe(judged, "indeterminate", because, critical, discordant, (albumin.ref,)))
    status, because = _status(judged, stale, chart, messages)
    if status in _REASSURING and not _is_newest(chart, chosen):
        need = chart.facts.need("observations")
        told = {"value": _amount(chosen), "date": str(chosen.date), "kind": KINDS[chosen.analyte]}
        because = messages.say("calcium.part-read", **told, reason=need.reason or need.state)
        return Calcium(_untold(chosen, because, critical))
    if discordant:
        because = f"{because} {_before(chart, chosen, rule, messages)}"
    return answer(_describe(judged, status, because, critical, discordant))


def _is_newest(chart: Chart, chosen: Result) -> bool:
    """Whether no newer calcium can be among results that were not read. Nothing is newer than what was told today."""
    today = chosen.date is not None and chosen.date.instant is None and chosen.date.earliest == chart.as_of
    return today or chart.facts.need("observations").tells_newest


def _untold(result: Result, because: str, critical: tuple[Result, ...]) -> LabCriterion:
    """The calcium that came, where a newer one may have been missed: it is no word on what calcium is now."""
    return LabCriterion(
        "unknown",
        because,
        kind=KINDS.get(result.analyte),
        critical=bool(critical),
        critical_result=_critical_result(critical),
        evidence=tuple(dict.fromkeys((result.ref, *(c.ref for c in critical)))),
    )


def _at_risk(chart: Chart, kidney: KidneyCriterion, rule: CalciumRule) -> bool:
    low_egfr = egfr_below(kidney, rule.risk_egfr_below)
    high_vitamin_d = any(
        drug.daily_dose is not None and drug.daily_dose >= rule.risk_vitamin_d_daily_iu and drug.dose_unit == "IU"
        for drug in chart.drugs("vitamin-d", drafts=False)
    )
    return bool(
        low_egfr
        or kidney.status == "severe"
        or high_vitamin_d
        or chart.findings(*rule.risk_concepts)
        or chart.drugs(*rule.risk_drugs, drafts=False)
    )


def _newest(chart: Chart, analyte: str, rule: CalciumRule) -> Result | None:
    """The newest result; of several of one day whose order nobody knows, the one that is least reassuring."""
    newest = chart.latest(analyte, max_age_days=rule.stale_days)
    if newest is None or newest.date is None:
        return None
    moment = newest.date.sort_key
    ties = [r for r in chart.results(analyte) if r.date is not None and r.date.sort_key == moment]
    return min(ties, key=lambda r: _CAUTION.index(judge(r, chart, rule.fallback).category))


def _choose(chart: Chart, ionized: Result | None, total: Result | None, current_days: int) -> Result | None:
    """Ionized beats total; but a stale ionized value does not hide a current total."""
    if ionized is None or total is None:
        return ionized or total
    if chart.age_in_days(ionized.date) > current_days and chart.age_in_days(total.date) <= current_days:
        return total
    return ionized


def _newer_unreadable(chart: Chart, chosen: Result, rule: CalciumRule) -> bool:
    """A newer final result of the same kind that carries a value we can't read: the older one must not speak for it."""
    return any(
        other.problem is not None
        and other.status == "final"
        and other.problem != "no-value"
        and other.date is not None
        and chosen.date is not None
        and other.date.sort_key > chosen.date.sort_key
        and chart.age_in_days(other.date) <= rule.stale_days
        for other in chart.results(chosen.analyte, usable=False)
    )


def _albumin(chart: Chart, calcium: Result, rule: CalciumRule) -> Result | None:
    """The albumin drawn nearest to the calcium, at most the pairing window away."""
    drawn = chart.age_in_days(calcium.date)
    answers = (other for other in chart.results("albumin") if answers_albumin(other))
    near = [(abs(chart.age_in_days(other.date) - drawn), other) for other in answers]
    near = [pair for pair in near if pair[0] <= rule.albumin_pair_days]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def answers_albumin(result: Result) -> bool:
    """Whether it says if albumin is below the limit; "low" without a number does not."""
    return result.word != "low" or result.low is not None or result.high is not None


def _albumin_low(albumin: Result | None, rule: CalciumRule) -> bool:
    if albumin is None:
        return False
    low, high = albumin.canonical_low, albumin.canonical_high
    return surely_below(low, high, albumin.comparator, rule.albumin_low_g_per_l)


def _adjustment_disagrees(
    chart: Chart, judged: Judged, albumin: Result, kidney: KidneyCriterion, rule: CalciumRule
) -> bool:
    """Raw and adjusted value in different categories (only where eGFR is 60 or more, or unknown). Display only: the
    adjusted value never makes a calcium normal, it can only make it indeterminate."""
    result = judged.result
    low, high = rule.plain_total_egfr
    if kidney.egfr is not None and low <= kidney.egfr < high:
        return False
    trusted_low, trusted_high = rule.albumin_trusted_g_per_l
    value, protein = result.canonical_low, albumin.canonical_low
    if result.analyte != "calcium-total" or value is None or protein is None or value != result.canonical_high:
        return False
    in_own_range = (
        albumin.range_low is not None
        and albumin.range_high is not None
        and place(albumin.low, albumin.high, albumin.range_low, albumin.range_high, albumin.comparator) == "normal"
    )
    if in_own_range or trusted_low <= protein <= trusted_high:
        return False
    adjusted = value + rule.adjustment.per_g_per_l * (rule.adjustment.reference_g_per_l - protein)
    return judged.category != _place_adjusted(adjusted, judged, chart, rule)


def _place_adjusted(adjusted: Decimal, judged: Judged, chart: Chart, rule: CalciumRule) -> Category:
    result = judged.result
    if judged.range_source == "laboratory" and result.low and result.canonical_low:
        factor = result.canonical_low / result.low
        bounds = [limit * factor if limit is not None else None for limit in (result.range_low, result.range_high)]
        if None not in bounds:
            return place(adjusted, adjusted, bounds[0], bounds[1])
    entry = fallback_for("calcium-adjusted", chart, rule.fallback)
    return place_fallback(adjusted, entry) if entry else judged.category


def _discordant(chart: Chart, chosen: Result, rule: CalciumRule) -> bool:
    """The last two results of one type fall into different categories."""
    categories = {judge(r, chart, rule.fallback).category for r in _last_two(chart, chosen, rule)} - {"unclear"}
    return len(categories) > 1


def _last_two(chart: Chart, chosen: Result, rule: CalciumRule) -> list[Result]:
    return [r for r in chart.results(chosen.analyte) if chart.age_in_days(r.date) <= rule.stale_days][:2]


def _before(chart: Chart, chosen: Result, rule: CalciumRule, messages: Messages) -> str:
    """What the other of two results that disagree was."""
    other = next(r for r in _last_two(chart, chosen, rule) if r is not chosen)
    category = judge(other, chart, rule.fallback).category
    return messages.say("calcium.disagrees", value=_amount(other), date=str(other.date), category=category)


def _critical(chart: Chart, rule: CalciumRule) -> tuple[Result, ...]:
    """Critical values of the last days. A low total is critical only with albumin of 30 g/L or more, or unknown."""
    found = []
    doubtful = [r for r in chart.results(*KINDS, usable=False) if r.status == "final" and r.problem == SAME_TIME]
    for result in (*chart.results(*KINDS), *doubtful):
        limits = rule.critical[result.analyte]
        if chart.age_in_days(result.date) > rule.critical_days:
            continue
        low, high, comparator = result.canonical_low, result.canonical_high, result.comparator
        too_low = surely_below(low, high, comparator, limits.low)
        too_high = surely_above(low, high, comparator, limits.high)
        if too_low and result.analyte != "calcium-ionized" and _albumin_low(_albumin(chart, result, rule), rule):
            too_low = False
        if too_low or too_high:
            found.append(result)
    return tuple(found)


def _status(judged: Judged, stale: bool, chart: Chart, messages: Messages) -> tuple[LabStatus, str]:
    result, source = judged.result, judged.range_source or "none"
    shown = {
        "value": _number(result),
        "unit": result.unit or "",
        "date": str(result.date),
        "kind": KINDS[result.analyte],
    }
    if judged.category == "unclear":
        key = "calcium.no-range" if source == "none" and result.comparator is None else "calcium.unclear"
        return "indeterminate", messages.say(key, **shown)
    words = result.low is None and result.high is None
    told = "-unitless" if result.unitless else "-words" if words else ""
    because = messages.say(f"calcium.{judged.category}{told}", **shown, source=_source(judged))
    if judged.category == "normal" and stale:
        return "stale", messages.say("calcium.stale", **shown, days=chart.age_in_days(result.date))
    return judged.category, because


def _source(judged: Judged) -> str:
    if judged.low is None and judged.high is None:
        return "laboratory flag"
    unit = judged.result.unit or ""
    whose = "laboratory range" if judged.range_source == "laboratory" else "fallback range"
    low, high = ("" if limit is None else limit for limit in (judged.low, judged.high))
    return f"{whose} {low}–{high} {unit}".strip()


def _number(result: Result) -> str:
    value = result.low if result.low is not None else result.high
    if value is None:
        return result.word or ""
    return f"{result.comparator or ''}{value}"


def _amount(result: Result) -> str:
    return f"{_number(result)} {result.unit or ''}".strip()


def _critical_result(critical: tuple[Result, ...]) -> str | None:
    """The newest of the critical values, with its day."""
    dated = [result for result in critical if result.date is not None]
    if not dated:
        return None
    newest = max(dated, key=lambda result: result.date.sort_key if result.date else ())
    return f"{_amount(newest)} on {newest.date}"


def _describe(
    judged: Judged,
    status: LabStatus,
    because: str,
    critical: tuple[Result, ...] = (),
    discordant: bool = False,
    evidence: tuple[str, ...] = (),
) -> LabCriterion:
    result = judged.result
    numeric = result.low is not None and result.low == result.high
    return LabCriterion(
        status=status,
        because=because,
        kind=KINDS.get(result.analyte),
        category=judged.category,
        value=result.low if numeric else None,
        unit=result.unit if numeric else None,
        low=judged.low,
        high=judged.high,
        range_source=judged.range_source,
        date=str(result.date) if result.date else None,
        critical=bool(critical),
        critical_result=_critical_result(critical),
        discordant=discordant,
        evidence=tuple(dict.fromkeys((result.ref, *evidence, *(c.ref for c in critical)))),
    )


def _unknown(chart: Chart, rule: CalciumRule, messages: Messages, critical: tuple[Result, ...]) -> LabCriterion:
    """No calcium that counts: says whether there is none, or only an unusable one, and why. A critical value among
    those that contradict each other is still told."""
    need = chart.facts.need("observations")
    every = [r for r in chart.facts.results if r.analyte in KINDS]
    unusable = [r for r in every if not r.usable]
    undated = [r for r in every if r.usable and r.date is None]
    old = chart.results(*KINDS)  # a usable one that is not old would have been chosen
    refs = tuple(r.ref for r in (*unusable, *undated, *old))
    if unusable and any(r.problem for r in unusable):
        status: Literal["indeterminate", "unknown"] = "indeterminate"
        problems = ", ".join(dict.fromkeys(messages.say(f"problem.{r.problem}") for r in unusable if r.problem))
        because = messages.say("calcium.unreadable", problem=problems)
    elif unusable:
        status, because = "unknown", messages.say("calcium.preliminary")
    elif undated:
        status, because = "unknown", messages.say("calcium.undated")
    elif old:
        status, because = "unknown", messages.say("calcium.old", date=str(old[0].date), days=rule.stale_days)
    elif need.state != "complete":
        status, because = "unknown", messages.say("calcium.not-read", reason=need.reason or need.state)
    else:
        status, because = "unknown", messages.say("calcium.none")
    told = _critical_result(critical)
    return LabCriterion(status, because, critical=bool(critical), critical_result=told, evidence=refs)
