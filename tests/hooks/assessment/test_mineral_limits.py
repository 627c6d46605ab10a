"""Exact limits of calcium, phosphate, albumin and kidney function: ranges, windows, the product."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from hooks.knowledge import load_knowledge
from mappings.dates import PartialDate
from mappings.facts import Finding, Medication, Result
from tests.charts import TODAY
from tests.hooks.assessment.facts import (
    calcium,
    days_ago,
    disease,
    judged,
    lab,
    patient,
    phosphate,
)

CRITERIA = load_knowledge().criteria
STEP = Decimal("0.001")


def status_of(*results, born: str = "1980-01-01") -> str:
    facts = patient(results=(*results, phosphate()), born=PartialDate.parse(born))
    return judged(facts).criteria.calcium.status


@pytest.mark.parametrize("entry", CRITERIA.calcium.fallback, ids=lambda e: f"{e.analyte} from {e.age_from}")
def test_calcium_on_the_limits_of_the_fallback_ranges(entry) -> None:
    born = TODAY.replace(year=TODAY.year - entry.age_from).isoformat()

    def status(value: Decimal) -> str:
        return status_of(lab(entry.analyte, str(value), None, None, 5, "Observation/ca"), born=born)

    assert status(entry.low) == status(entry.high) == "normal"
    assert status(entry.low - STEP) == status(entry.high + STEP) == "borderline"
    if entry.outer_low is not None:
        assert (status(entry.outer_low), status(entry.outer_low - STEP)) == ("borderline", "low")
        assert (status(entry.outer_high), status(entry.outer_high + STEP)) == ("borderline", "high")
    else:
        assert status(entry.low - Decimal("0.2")) == status(entry.high + Decimal("0.15")) == "borderline"


@pytest.mark.parametrize("entry", CRITERIA.phosphate.fallback, ids=lambda e: f"from {e.age_from}")
def test_phosphate_on_the_limits_of_the_fallback_ranges(entry) -> None:
    born = PartialDate.parse(TODAY.replace(year=TODAY.year - entry.age_from).isoformat())

    def status(value: Decimal) -> str:
        value_only = lab("phosphate", str(value), None, None, 5, "Observation/p")
        return judged(patient(results=(calcium(), value_only), born=born)).criteria.phosphate.status

    assert status(entry.low) == status(entry.high) == "normal"
    assert status(entry.low - STEP) == "low"
    assert status(entry.outer_high + STEP) == "high"
    if entry.outer_high > entry.high:
        assert status(entry.high + STEP) == status(entry.outer_high) == "borderline"


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("2008-06-01", "borderline"),  # eighteen today: 2.55 is above the adult range
        ("2008-06-02", "normal"),  # eighteen tomorrow
        ("2008", "indeterminate"),  # seventeen or eighteen
        ("2025-06-01", "normal"),  # one today
        ("2025-06-02", "indeterminate"),
    ],
)
def test_the_fallback_range_of_the_age(born: str, expected: str) -> None:
    assert status_of(lab("calcium-total", "2.55", None, None, 5, "Observation/ca"), born=born) == expected


def test_without_an_age_there_is_no_fallback_range() -> None:
    bare = lab("calcium-total", "2.31", None, None, 5, "Observation/ca")
    assert judged(patient(results=(bare, phosphate()), born=None)).criteria.calcium.status == "indeterminate"


@pytest.mark.parametrize(("days", "expected"), [(90, "normal"), (91, "stale"), (365, "stale"), (366, "unknown")])
def test_how_long_a_calcium_is_current(days: int, expected: str) -> None:
    assert status_of(calcium("2.31", days)) == expected


@pytest.mark.parametrize(("days", "expected"), [(30, "normal"), (31, "stale")])
@pytest.mark.parametrize(
    "risk",
    [
        {"findings": (disease(), Finding(frozenset({"trigger.ckd_3b"}), "x", "Condition/k"))},
        {"medications": (Medication("MedicationRequest/t", "x", frozenset({"x"}), frozenset({"thiazide"})),)},
        {"medications": (Medication("MedicationRequest/d", "x", frozenset({"vitamin-d"}), frozenset({"vitamin-d"}),
                                    daily_dose=Decimal(4000), dose_unit="IU"),)},
        {"results": (lab("egfr", "44.9", None, None, 5, "Observation/gfr"),)},
    ],
    ids=["ckd 3b", "thiazide", "vitamin D", "eGFR"],
)  # fmt: skip
def test_at_risk_a_calcium_is_current_for_a_month(risk: dict, days: int, expected: str) -> None:
    more = {**risk, "results": (calcium("2.31", days), phosphate(), *risk.get("results", ()))}
    assert judged(patient(**more)).criteria.calcium.status == expected


@pytest.mark.parametrize(
    "no_risk",
    [
        {"medications": (Medication("MedicationRequest/d", "x", frozenset({"vitamin-d"}), frozenset({"vitamin-d"}),
                                    daily_dose=Decimal(3999), dose_unit="IU"),)},
        {"medications": (Medication("MedicationRequest/d", "x", frozenset({"vitamin-d"}), frozenset({"vitamin-d"}),
                                    daily_dose=Decimal(4000), dose_unit="ug"),)},
        {"medications": (Medication("MedicationRequest/t", "x", classes=frozenset({"thiazide"}), draft=True),)},
        {"results": (lab("egfr", "45", None, None, 5, "Observation/gfr"),)},
    ],
    ids=["vitamin D below", "another unit", "a draft", "eGFR 45"],
)  # fmt: skip
def test_not_at_risk(no_risk: dict) -> None:
    more = {**no_risk, "results": (calcium("2.31", 60), phosphate(), *no_risk.get("results", ()))}
    assert judged(patient(**more)).criteria.calcium.status == "normal"


@pytest.mark.parametrize(
    ("analyte", "value", "critical"),
    [
        ("calcium-total", "3.00", False), ("calcium-total", "3.01", True),
        ("calcium-total", "1.90", False), ("calcium-total", "1.89", True),
        ("calcium-ionized", "1.55", False), ("calcium-ionized", "1.56", True),
        ("calcium-ionized", "0.90", False), ("calcium-ionized", "0.89", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("days", [30, 31])
def test_critical_limits(analyte: str, value: str, critical: bool, days: int) -> None:
    found = judged(patient(results=(lab(analyte, value, "1.1", "2.6", days, "Observation/ca"), phosphate())))
    assert found.criteria.calcium.critical == (critical and days == 30)
    assert (found.grade == "urgent") == (critical and days == 30)


@pytest.mark.parametrize(
    ("value", "expected"), [("29.9", "indeterminate"), ("30", "normal"), ("35", "normal"), ("50", "normal")]
)
def test_low_albumin(value: str, expected: str) -> None:
    albumin = lab("albumin", value, None, None, 10, "Observation/alb", unit="g/L")
    assert status_of(calcium("2.31"), albumin) == expected


@pytest.mark.parametrize(("days", "counts"), [(17, True), (3, True), (18, False), (2, False)])
def test_albumin_is_paired_within_seven_days(days: int, counts: bool) -> None:
    albumin = lab("albumin", "25", None, None, days, "Observation/alb")
    assert (status_of(calcium("2.31", 10), albumin) == "indeterminate") == counts


def test_the_nearest_albumin_counts() -> None:
    near = lab("albumin", "42", None, None, 11, "Observation/near")
    far = lab("albumin", "25", None, None, 5, "Observation/far")
    assert status_of(calcium("2.31", 10), near, far) == "normal"


def test_albumin_reported_as_below_the_limit_is_low_and_low_in_words_is_asked_again() -> None:
    open_ended = lab("albumin", "30", None, None, 10, "Observation/alb", low=None, canonical_low=None, comparator="<")
    assert status_of(calcium("2.31"), open_ended) == "indeterminate"
    word = lab("albumin", "1", None, None, 10, "Observation/alb",
               low=None, high=None, canonical_low=None, canonical_high=None, word="low")  # fmt: skip
    found = judged(patient(results=(calcium(), phosphate(), word)))
    assert found.criteria.calcium.status == "normal"
    assert found.missing[0] == "albumin"
    assert "albumin" not in judged(patient(results=(calcium(), phosphate(), replace(word, word="normal")))).missing


@pytest.mark.parametrize(
    ("albumin", "egfr", "expected"),
    [
        ("34.9", None, "indeterminate"),  # 2.10 is low, 2.202 adjusted is normal
        ("35", None, "low"),  # trusted
        ("50", None, "low"),
        ("34.9", "29", "low"),
        ("34.9", "30", "low"),  # 30 to 59: the plain total is judged
        ("34.9", "59.9", "low"),
        ("34.9", "60", "indeterminate"),
    ],
)
def test_raw_and_adjusted(albumin: str, egfr: str | None, expected: str) -> None:
    results = [calcium("2.10"), lab("albumin", albumin, None, None, 10, "Observation/alb")]
    if egfr == "29":
        expected = "indeterminate"  # the renal line decides the grade; the calcium itself is still in doubt
    if egfr is not None:
        results.append(lab("egfr", egfr, None, None, 10, "Observation/gfr"))
    assert status_of(*results) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [("32", "48", "low"), ("36", "48", "indeterminate"), (None, "48", "indeterminate"), ("32", None, "indeterminate")],
)
def test_albumin_inside_its_own_range_is_trusted(low: str | None, high: str | None, expected: str) -> None:
    assert status_of(calcium("2.10"), lab("albumin", "34", low, high, 10, "Observation/alb")) == expected


def test_a_range_of_one_side_is_adjusted_by_the_fallback() -> None:
    one_sided = calcium("2.10", range_high=None)
    found = judged(patient(results=(one_sided, phosphate(), lab("albumin", "31", None, None, 10, "Observation/alb"))))
    assert found.criteria.calcium.status in ("indeterminate", "low")


def test_words_and_intervals_are_not_adjusted() -> None:
    albumin = lab("albumin", "31", None, None, 10, "Observation/alb")
    word = calcium("2.1", low=None, high=None, canonical_low=None, canonical_high=None, word="normal")
    assert status_of(word, albumin) == "normal"
    above = calcium("2.6", high=None, canonical_high=None, comparator=">")
    assert status_of(above, albumin) == "high"


def test_a_laboratory_word_that_is_no_direction_can_not_be_placed() -> None:
    word = calcium("2.1", low=None, high=None, canonical_low=None, canonical_high=None, word="abnormal")
    assert status_of(word) == "indeterminate"
    assert status_of(calcium("2.31", flag="high")) == "indeterminate"  # the flag contradicts the range
    assert status_of(calcium("2.31", flag="normal")) == "normal"
    assert status_of(calcium("2.75", flag="normal")) == "indeterminate"
    flagged = lab("calcium-total", "2.31", None, None, 5, "Observation/ca", flag="abnormal")
    assert status_of(flagged) == "indeterminate"


def test_an_interval_has_no_fallback() -> None:
    above = lab(
        "calcium-total", "2.60", None, None, 5, "Observation/ca", high=None, canonical_high=None, comparator=">"
    )
    assert status_of(above) == "indeterminate"


@pytest.mark.parametrize(
    ("value", "age", "alternative", "caution"),
    [
        ("1.772", 13, False, False),  # 4.43
        ("1.7721", 13, False, True),
        ("2.256", 13, False, True),  # 5.64
        ("2.2561", 13, True, False),
        ("2.096", 12, False, False),  # 5.24
        ("2.0961", 12, False, True),
        ("2.4", 12, False, True),
    ],
)
def test_limits_of_the_product(value: str, age: int, alternative: bool, caution: bool) -> None:
    born = PartialDate.parse(TODAY.replace(year=TODAY.year - age).isoformat())
    found = judged(patient(results=(calcium("2.50"), phosphate(value, range_high=Decimal(3))), born=born))
    assert (found.grade == "alternative") == alternative
    assert any("product" in note for note in found.notes) == caution


@pytest.mark.parametrize("born", [None, PartialDate.parse("2013")])
def test_the_product_needs_an_age_that_is_surely_on_one_side(born: PartialDate | None) -> None:
    found = judged(patient(results=(calcium("2.50"), phosphate("2.4", range_high=Decimal(3))), born=born))
    assert found.grade == "probable"


@pytest.mark.parametrize(
    ("value", "expected"), [("29.9", "severe"), ("30", "reduced"), ("59.9", "reduced"), ("60", "normal")]
)
def test_limits_of_egfr(value: str, expected: str) -> None:
    found = judged(patient(results=(calcium(), phosphate(), lab("egfr", value, None, None, 365, "Observation/gfr"))))
    assert found.criteria.kidney.status == expected


def test_an_egfr_of_more_than_a_year_ago_is_unknown() -> None:
    found = judged(patient(results=(calcium(), phosphate(), lab("egfr", "12", None, None, 366, "Observation/gfr"))))
    assert found.criteria.kidney.status == "unknown"


def test_the_fields_of_a_mineral() -> None:
    found = judged(patient(results=(calcium(), phosphate("1.1", 12)))).criteria.phosphate
    assert (found.value, found.unit, found.date, found.low, found.high) == (
        Decimal("1.1"),
        "mmol/L",
        days_ago(12).earliest.isoformat(),
        Decimal("0.8"),
        Decimal("1.5"),
    )
    assert (found.range_source, found.category, found.evidence) == ("laboratory", "normal", ("Observation/p",))
    open_ended = phosphate("0.5", low=None, canonical_low=None, comparator="<")
    below = judged(patient(results=(calcium(), open_ended))).criteria.phosphate
    assert (below.status, below.value, below.unit) == ("low", None, None)
    assert "<0.5 mmol/L" in below.because
    above = judged(patient(results=(calcium(), phosphate("2", high=None, canonical_high=None, comparator=">"))))
    assert "0" not in (above.criteria.phosphate.unit or "")
    assert ">2 mmol/L" in above.criteria.phosphate.because
    word = phosphate("1", low=None, high=None, canonical_low=None, canonical_high=None, word="normal")
    said = judged(patient(results=(calcium(), word))).criteria.phosphate
    assert "Reported as normal" in said.because


def test_a_calcium_in_another_unit_is_told_with_the_fallback_in_that_unit() -> None:
    """A card tells one unit for value and range: "9.2 mg/dL, fallback range 2.2–2.5: normal" could not be believed."""
    mass = lab("calcium-total", "9.2", None, None, 5, "Observation/ca", unit="mg/dL",
               canonical_low=Decimal("2.2954"), canonical_high=Decimal("2.2954"))  # fmt: skip
    found = judged(patient(results=(mass, phosphate()))).criteria.calcium
    assert "9.2 mg/dL" in found.because
    assert "fallback range 8.82–10.02 mg/dL" in found.because
    assert (found.unit, found.low, found.high) == ("mg/dL", Decimal("8.82"), Decimal("10.02"))
    none = replace(mass, low=Decimal(0), high=Decimal(0), canonical_low=Decimal(0), canonical_high=Decimal(0))
    assert judged(patient(results=(none, phosphate()))).criteria.calcium.high == Decimal("2.5")
    flagged = judged(patient(results=(replace(mass, flag="normal"), phosphate()))).criteria.calcium
    assert "laboratory flag" in flagged.because


@pytest.mark.parametrize(
    ("problem", "days", "status"),
    [
        ("implausible", 5, "indeterminate"),
        ("implausible", 10, "normal"),  # not newer
        ("implausible", 20, "normal"),
        ("no-value", 5, "normal"),  # nothing was measured
    ],
)
def test_a_newer_result_that_can_not_be_read(problem: str, days: int, status: str) -> None:
    odd = replace(calcium("9.4", days), ref="Observation/odd", problem=problem)
    assert status_of(calcium("2.31", 10), odd) == status
    assert status_of(calcium("2.31", 10), replace(odd, status="preliminary")) == "normal"


def test_low_albumin_excuses_a_low_total_but_no_low_ionized_calcium() -> None:
    albumin = lab("albumin", "25", None, None, 5, "Observation/alb")
    total = lab("calcium-total", "1.70", "2.15", "2.57", 5, "Observation/ca")
    ionized = lab("calcium-ionized", "0.85", "1.15", "1.33", 5, "Observation/ca")
    assert judged(patient(results=(total, phosphate(), albumin))).grade == "incomplete"
    assert judged(patient(results=(ionized, phosphate(), albumin))).grade == "urgent"


def test_of_two_albumins_of_one_day_the_later_one_counts() -> None:
    def drawn(value: str, hour: int) -> Result:
        albumin = lab("albumin", value, None, None, 10, f"Observation/alb{hour}")
        return replace(albumin, date=PartialDate.parse(f"2026-05-22T{hour:02}:00:00Z"))

    assert status_of(calcium("2.31", 10), drawn("25", 6), drawn("42", 16)) == "normal"
    assert status_of(calcium("2.31", 10), drawn("42", 6), drawn("25", 16)) == "indeterminate"


@pytest.mark.parametrize(
    ("others", "grade"),
    [
        ([], "probable"),
        ([("2.40", 40)], "probable"),
        ([("2.70", 40)], "possible"),  # the last two disagree
        ([("2.70", 365)], "possible"),
        ([("2.70", 366)], "probable"),  # of another year
        ([("2.40", 40), ("2.70", 60)], "probable"),  # three ago
    ],
    ids=str,
)
def test_the_last_two_calcium_results_of_a_year_agree_or_the_grade_is_capped(
    others: list[tuple[str, int]], grade: str
) -> None:
    more = [replace(calcium(value, days), ref=f"Observation/ca{i}") for i, (value, days) in enumerate(others)]
    assert judged(patient(results=(calcium("2.31"), *more, phosphate()))).grade == grade


def test_two_old_results_are_not_compared_with_a_later_one_of_another_kind() -> None:
    ionized = lab("calcium-ionized", "1.20", "1.15", "1.30", 5, "Observation/ion")
    older = [calcium("2.31", 100), replace(calcium("2.70", 120), ref="Observation/old")]
    assert judged(patient(results=(ionized, *older, phosphate()))).grade == "probable"


@pytest.mark.parametrize(("comparator", "low", "high"), [("<", None, "2.40"), (">", "2.20", None)])
def test_a_calcium_told_as_a_bound_without_a_range_is_no_normal_one(
    comparator: str, low: str | None, high: str | None
) -> None:
    numbers = {"low": low and Decimal(low), "high": high and Decimal(high)}
    bound = lab("calcium-total", "2.40", None, None, 5, "Observation/ca", comparator=comparator,
                canonical_low=numbers["low"], canonical_high=numbers["high"], **numbers)  # fmt: skip
    assert status_of(bound) == "indeterminate"


def test_what_is_told_of_a_calcium() -> None:
    found = judged(patient()).criteria.calcium
    assert (found.status, found.category, found.value, found.unit) == ("normal", "normal", Decimal("2.31"), "mmol/L")
    assert found.date == "2026-05-22"
    word = calcium(low=None, high=None, canonical_low=None, canonical_high=None, word="normal")
    told = judged(patient(results=(word, phosphate()))).criteria.calcium
    assert (told.status, told.value, told.unit) == ("normal", None, None)


def test_a_result_that_cannot_be_placed_does_not_disagree() -> None:
    unclear = replace(calcium("2.31", 40, comparator=">"), ref="Observation/old", canonical_high=None, high=None)
    assert judged(patient(results=(calcium("2.31"), unclear, phosphate()))).grade == "probable"
