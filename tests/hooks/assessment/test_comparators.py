"""A result with a comparator is an interval: it says what all of it says, and "below 30" is below 30."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks.assessment.labs import place, surely_above, surely_below
from hooks.knowledge import load_knowledge
from mappings.facts import Result
from tests.hooks.assessment.facts import calcium, days_ago, disease, judged, lesion, patient, phosphate

CRITERIA = load_knowledge().criteria
COMPARATORS = (None, "<", "<=", ">", ">=")
amounts = st.integers(0, 120).map(lambda tenths: Decimal(tenths) / 10)


def told(analyte: str, value: Decimal | str, comparator: str | None, ref: str = "Observation/x", **more) -> Result:
    number = Decimal(value)
    low = None if comparator in ("<", "<=") else number
    high = None if comparator in (">", ">=") else number
    return Result(
        analyte, ref, days_ago(5), "final", low=low, high=high, canonical_low=low, canonical_high=high, unit="x",
        comparator=comparator, **more,
    )  # fmt: skip


def meant(value: Decimal, comparator: str | None) -> list[Decimal]:
    """Values that the result can mean: the limit itself, hardly beside it, far from it."""
    hair = Decimal("0.0001")
    below, above = [value - hair, Decimal(-1000)], [value + hair, Decimal(1000)]
    return {None: [value], "<": below, "<=": [value, *below], ">": above, ">=": [value, *above]}[comparator]


@given(amounts, amounts, st.sampled_from(COMPARATORS))
def test_surely_beyond_a_limit_is_what_every_value_meant_is(value, limit, comparator) -> None:
    result = told("egfr", value, comparator)
    interval = (result.low, result.high, result.comparator)
    assert surely_below(*interval, limit) == all(v < limit for v in meant(value, comparator))
    assert surely_above(*interval, limit) == all(v > limit for v in meant(value, comparator))


@given(amounts, amounts, amounts, st.sampled_from(COMPARATORS))
def test_a_range_places_an_interval_only_as_it_places_every_value_of_it(value, one, other, comparator) -> None:
    low, high = sorted((one, other))
    result = told("calcium-total", value, comparator)
    of_each = {place(v, v, low, high) for v in meant(value, comparator)}
    expected = of_each.pop() if len(of_each) == 1 else "unclear"
    assert place(result.low, result.high, low, high, comparator) == expected


@pytest.mark.parametrize(
    ("comparator", "value", "status"),
    [
        ("<", "30", "severe"), ("<", "30.1", "unknown"), ("<=", "30", "unknown"), ("<=", "29.9", "severe"),
        (">", "30", "unknown"), (">=", "60", "normal"), (">", "60", "normal"), (">", "59", "unknown"),
        (">", "29", "unknown"), ("<", "60", "unknown"),
    ],
)  # fmt: skip
def test_kidney_function_told_with_a_comparator(comparator: str, value: str, status: str) -> None:
    found = judged(patient(results=(calcium(), phosphate(), told("egfr", value, comparator))))
    assert found.criteria.kidney.status == status
    assert found.grade == ("alternative" if status == "severe" else "probable")


def test_the_criterion_tells_the_comparator_beside_its_number() -> None:
    kidney = judged(patient(results=(calcium(), phosphate(), told("egfr", "30", "<")))).criteria.kidney
    assert (kidney.egfr, kidney.comparator) == (Decimal(30), "<")
    assert "<30" in kidney.because


@pytest.mark.parametrize(("comparator", "flagged"), [("<", True), ("<=", False), (None, False)])
def test_kidney_failure_is_below_its_limit(comparator: str | None, flagged: bool) -> None:
    limit = CRITERIA.kidney.failure_egfr_below
    sore = lesion(ulcerated=True)
    gfr = told("egfr", limit, comparator)
    found = judged(patient(findings=(disease(),), lesions=(sore,), results=(calcium(), phosphate(), gfr)))
    assert ("calciphylaxis" in {flag.id for flag in found.red_flags}) == flagged


@pytest.mark.parametrize(
    ("comparator", "status"), [("<", "stale"), ("<=", "normal"), (">", "normal"), (None, "normal")]
)
def test_calcium_ages_sooner_below_the_limit_of_risk(comparator: str | None, status: str) -> None:
    limit = CRITERIA.calcium.risk_egfr_below
    days = CRITERIA.calcium.current_days_at_risk + 1
    results = (calcium(days=days), phosphate(), told("egfr", limit, comparator))
    assert judged(patient(results=results)).criteria.calcium.status == status


@pytest.mark.parametrize(("comparator", "critical"), [("<", True), ("<=", False), (None, False)])
def test_a_critical_calcium_is_beyond_its_limit(comparator: str | None, critical: bool) -> None:
    limit = CRITERIA.calcium.critical["calcium-total"].low
    low = told("calcium-total", limit, comparator, "Observation/ca", range_low=Decimal(2), range_high=Decimal(3))
    assert judged(patient(results=(low, phosphate()))).criteria.calcium.critical == critical


@pytest.mark.parametrize("comparator", COMPARATORS)
def test_an_albumin_below_its_limit_makes_calcium_indeterminate(comparator: str | None) -> None:
    limit = CRITERIA.calcium.albumin_low_g_per_l
    status = judged(
        patient(results=(calcium(), phosphate(), told("albumin", limit, comparator)))
    ).criteria.calcium.status
    assert (status == "indeterminate") == (comparator == "<")
