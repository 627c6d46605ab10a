"""How one laboratory value is judged: the laboratory's own range first, the fallback range only when there is neither
range nor flag (rule 2.3). A comparator or an open interval is judged only if every value it can mean agrees."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from hooks.chart import Chart
from hooks.knowledge.criteria_schema import FallbackRange
from mappings.facts import Result

Category = Literal["normal", "low", "high", "borderline", "unclear"]
_TOLD = Decimal("0.01")


class Judged(Struct, frozen=True):
    """`category` unclear: the value can't be placed (open interval, flag against range, no range for this age)."""

    result: Result
    category: Category
    range_source: Literal["laboratory", "fallback"] | None
    low: Decimal | None = None
    high: Decimal | None = None


def judge(result: Result, chart: Chart, fallbacks: Iterable[FallbackRange]) -> Judged:
    """Places one usable result. The range reported back is in the result's own unit."""
    if result.word is not None and result.low is None and result.high is None:
        return Judged(result, _WORDS.get(result.word, "unclear"), "laboratory")
    if result.range_low is not None or result.range_high is not None:
        category = place(result.low, result.high, result.range_low, result.range_high, result.comparator)
        flag = _FLAGS.get(result.flag or "")
        if flag is not None and category != "unclear" and (flag == "normal") != (category == "normal"):
            category = "unclear"
        return Judged(result, category, "laboratory", result.range_low, result.range_high)
    if result.flag == "abnormal":
        return Judged(result, "unclear", None)  # the laboratory calls it abnormal and does not say in which direction
    if result.flag in _FLAGS:
        return Judged(result, _FLAGS[result.flag], "laboratory")
    return _by_fallback(result, chart, fallbacks)


def place(
    value_low: Decimal | None,
    value_high: Decimal | None,
    range_low: Decimal | None,
    range_high: Decimal | None,
    comparator: str | None = None,
) -> Category:
    """Exactly on a limit is normal, below or above it ("<", ">") is not. Unclear when the interval of the value lies on
    both sides of a limit, or when only one side of the range is known and the value is not beyond it."""
    if range_low is not None and surely_below(value_low, value_high, comparator, range_low):
        return "low"
    if range_high is not None and surely_above(value_low, value_high, comparator, range_high):
        return "high"
    above = range_low is None or (value_low is not None and value_low >= range_low)
    below = range_high is None or (value_high is not None and value_high <= range_high)
    both_sides = range_low is not None and range_high is not None
    return "normal" if above and below and both_sides else "unclear"


def surely_below(low: Decimal | None, high: Decimal | None, comparator: str | None, limit: Decimal) -> bool:
    """Whether every value of the interval is below the limit: "<30" is below 30, "<=30" and 30 are not."""
    return high is not None and (high < limit or (high == limit and comparator == "<" and low is None))


def surely_above(low: Decimal | None, high: Decimal | None, comparator: str | None, limit: Decimal) -> bool:
    """Whether every value of the interval is above the limit: ">30" is above 30, ">=30" and 30 are not."""
    return low is not None and (low > limit or (low == limit and comparator == ">" and high is None))


def fallback_for(analyte: str, chart: Chart, fallbacks: Iterable[FallbackRange]) -> FallbackRange | None:
    """The fallback range of the patient's age; None when the age is unknown or the birth date spans two ranges."""
    if chart.age is None:
        return None
    youngest, oldest = chart.age
    for entry in fallbacks:
        below = entry.age_below is None or oldest < entry.age_below
        if entry.analyte == analyte and youngest >= entry.age_from and below:
            return entry
    return None


def _by_fallback(result: Result, chart: Chart, fallbacks: Iterable[FallbackRange]) -> Judged:
    entry = fallback_for(result.analyte, chart, fallbacks)
    low, high = result.canonical_low, result.canonical_high
    if entry is None:
        return Judged(result, "unclear", None)
    exact = low is not None and low == high
    category = place_fallback(low, entry) if exact and low is not None else _beyond(low, high, result.comparator, entry)
    if category == "unclear":
        return Judged(result, category, None)
    lowest, highest = (_in_its_unit(limit, result) for limit in (entry.low, entry.high))
    return Judged(result, category, "fallback", lowest, highest)


def _beyond(low: Decimal | None, high: Decimal | None, comparator: str | None, entry: FallbackRange) -> Category:
    """An interval is placed only where all of it lies beyond an outer limit."""
    if entry.outer_low is not None and surely_below(low, high, comparator, entry.outer_low):
        return "low"
    if entry.outer_high is not None and surely_above(low, high, comparator, entry.outer_high):
        return "high"
    return "unclear"


def _in_its_unit(limit: Decimal, result: Result) -> Decimal:
    """A limit of the fallback range beside the value that it is told with; to be read only, nothing is placed by it."""
    own = result.low if result.low is not None else result.high
    canonical = result.canonical_low if result.canonical_low is not None else result.canonical_high
    if not canonical or own is None or own == canonical:
        return limit
    return (limit * own / canonical).quantize(_TOLD)


def place_fallback(value: Decimal, entry: FallbackRange) -> Category:
    """Normal inside, borderline up to the outer limits, beyond them low or high; without outer limits never more than
    borderline (ionized calcium: methods and pH differ, rule 2.3)."""
    if value < entry.low:
        return "low" if entry.outer_low is not None and value < entry.outer_low else "borderline"
    if value > entry.high:
        return "high" if entry.outer_high is not None and value > entry.outer_high else "borderline"
    return "normal"


_WORDS: dict[str, Category] = {"normal": "normal", "low": "low", "high": "high"}
_FLAGS: dict[str, Category] = {
    "normal": "normal",
    "low": "low",
    "high": "high",
    "critical-low": "low",
    "critical-high": "high",
}
