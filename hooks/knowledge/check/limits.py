"""Numbers that contradict each other: a range upside down, ages that overlap, a caution above the limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from hooks.knowledge import Knowledge
from hooks.knowledge.base import KnowledgeError
from hooks.knowledge.criteria_schema import Criteria, FallbackRange, ProductLimit

_FILE = "criteria.yaml"


def wrong_limits(knowledge: Knowledge) -> Iterator[KnowledgeError]:
    criteria = knowledge.criteria
    for key, limits in _ascending(criteria).items():
        if any(one >= other for one, other in pairwise(limits)):
            yield KnowledgeError(_FILE, key, f"must ascend: {', '.join(map(str, limits))}")
    for name, ranges in (
        ("calcium.fallback", criteria.calcium.fallback),
        ("phosphate.fallback", criteria.phosphate.fallback),
    ):
        yield from _ranges(name, ranges)
        for analyte in dict.fromkeys(entry.analyte for entry in ranges):
            yield from _ages(f"{name}.{analyte}", [entry for entry in ranges if entry.analyte == analyte])
    yield from _ages("phosphate.product", criteria.phosphate.product)
    for index, limit in enumerate(criteria.phosphate.product):
        if limit.alternative_above is not None and limit.caution_above >= limit.alternative_above:
            yield KnowledgeError(_FILE, f"phosphate.product.{index}.caution_above", "must be below alternative_above")
    yield from _critical(criteria)


def _ascending(criteria: Criteria) -> dict[str, tuple[Decimal | int, ...]]:
    calcium, newness, kidney = criteria.calcium, criteria.newness, criteria.kidney
    return {
        "newness.new_months": (newness.new_months, newness.recent_months),
        "newness.rapid_days": (newness.rapid_days, newness.episode_days, newness.documented_days),
        "calcium.current_days": (calcium.current_days_at_risk, calcium.current_days, calcium.stale_days),
        "calcium.critical_days": (0, calcium.critical_days, calcium.stale_days),
        "calcium.albumin_low_g_per_l": (calcium.albumin_low_g_per_l, *calcium.albumin_trusted_g_per_l),
        "calcium.plain_total_egfr": calcium.plain_total_egfr,
        "phosphate.current_days": (criteria.phosphate.current_days, criteria.phosphate.stale_days),
        "kidney.severe_egfr_below": (kidney.failure_egfr_below, kidney.severe_egfr_below, kidney.reduced_egfr_below),
    }


def _ranges(name: str, ranges: Sequence[FallbackRange]) -> Iterator[KnowledgeError]:
    for index, entry in enumerate(ranges):
        limits = [limit for limit in (entry.outer_low, entry.low, entry.high, entry.outer_high) if limit is not None]
        if limits != sorted(limits) or entry.low >= entry.high:
            yield KnowledgeError(_FILE, f"{name}.{index}", "outer_low, low, high, outer_high must ascend")


def _ages(name: str, entries: Sequence[FallbackRange | ProductLimit]) -> Iterator[KnowledgeError]:
    """No age twice; no gap between the youngest and the oldest."""
    by_age = sorted(entries, key=lambda entry: entry.age_from)
    for younger, older in pairwise(by_age):
        if younger.age_below != older.age_from:
            yield KnowledgeError(_FILE, name, f"ages overlap or leave a gap at {older.age_from}")
    if by_age and by_age[-1].age_below is not None:
        yield KnowledgeError(_FILE, name, f"no entry from age {by_age[-1].age_below} on")


def _critical(criteria: Criteria) -> Iterator[KnowledgeError]:
    """A critical value must lie outside everything that a fallback range calls normal."""
    for analyte, limits in criteria.calcium.critical.items():
        for entry in criteria.calcium.fallback:
            if entry.analyte == analyte and not (limits.low < entry.low and entry.high < limits.high):
                yield KnowledgeError(_FILE, f"calcium.critical.{analyte}", "critical, yet within a fallback range")
