"""Values: comparators, units that contradict each other, ranges that fit nobody, numbers in strings."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.units import load_units
from mappings.values import Quantity, choose_range, number, parse_quantity, read_quantity, to_canonical

TABLE = load_units()
CALCIUM = TABLE.analytes["calcium-total"]
UCUM = "http://unitsofmeasure.org"


def canonical(value: dict[str, Any], property_: str | None = None) -> tuple[Decimal | None, Decimal | None, str | None]:
    quantity = read_quantity(value, TABLE)
    assert quantity is not None
    found = to_canonical(quantity, CALCIUM, property_)
    return found.low, found.high, found.problem


@pytest.mark.parametrize("unit", ["mg/dL", "mg/dl", "MG/DL", "mg / dL", "mg%"])
def test_every_spelling_of_a_unit_is_the_same_unit(unit: str) -> None:
    low, high, problem = canonical({"value": Decimal("9.4"), "unit": unit})
    assert problem is None
    assert low == high == Decimal("9.4") / Decimal("4.008")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"value": Decimal("9.4"), "unit": "mmol/L", "code": "mmol/L"}, "implausible"),
        ({"value": Decimal("23.5"), "unit": "mmol/L"}, "implausible"),
        ({"value": Decimal("9.4")}, "unit-unknown"),
        ({"value": Decimal("9.4"), "unit": "mg/24h"}, "unit-unknown"),
        ({"value": Decimal("9.4"), "unit": "U/L"}, "unit-mismatch"),
        ({"value": Decimal("2.35"), "code": "mmol/L", "unit": "mg/dL"}, "unit-mismatch"),
        ({"value": Decimal("2.35"), "unit": "mmol/L", "comparator": "~"}, "comparator-unknown"),
        ({"value": Decimal("2.35"), "unit": "mmol/L", "comparator": 7}, "comparator-unknown"),
    ],
)
def test_a_value_that_is_not_safe_gets_a_problem_and_no_canonical_value(value: dict[str, Any], problem: str) -> None:
    assert canonical(value) == (None, None, problem)


@pytest.mark.parametrize(("property_", "unit"), [("moles", "mg/dL"), ("mass", "mmol/L")])
def test_a_code_for_moles_with_a_mass_unit_is_never_read(property_: str, unit: str) -> None:
    value = Decimal("9.4") if unit == "mg/dL" else Decimal("2.35")
    assert canonical({"value": value, "unit": unit}, property_) == (None, None, "unit-mismatch")


@pytest.mark.parametrize(
    ("comparator", "ends"),
    [("<", (False, True)), ("<=", (False, True)), (">", (True, False)), (">=", (True, False)), ("ad", (True, False))],
)
def test_a_comparator_opens_one_end(comparator: str, ends: tuple[bool, bool]) -> None:
    low, high, problem = canonical({"value": Decimal("2.35"), "unit": "mmol/L", "comparator": comparator})
    assert (low is not None, high is not None) == ends
    assert problem is None


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("9.4 mg/dL", "9.4", "9.4", "mg/dL"),
        ("2,35 mmol/L", "2.35", "2.35", "mmol/L"),
        ("<5", None, "5", None),
        ("≥ 2.6 mmol/l", "2.6", None, "mmol/L"),
    ],
)
def test_strings_that_are_wholly_a_number(text: str, low: str | None, high: str | None, unit: str | None) -> None:
    found = parse_quantity(text, TABLE)
    assert found is not None
    assert (found.low, found.high, found.unit) == (low and Decimal(low), high and Decimal(high), unit)


@pytest.mark.parametrize(
    "text", ["9.4 mg/dL (high)", "about 9", "9.4 bananas", "2-3", "", "1.2.3", "9,4,1", "hemolysed"]
)
def test_other_strings_are_no_numbers(text: str) -> None:
    assert parse_quantity(text, TABLE) is None


def test_numbers_keep_no_trailing_zeros_and_nonsense_is_none() -> None:
    assert str(number(Decimal("2.310"))) == "2.31"
    assert str(number("10")) == "10"
    assert [number(bad) for bad in (True, None, "x", [], {}, Decimal("NaN"), float("inf"))] == [None] * 7


def limits(*entries: Any, sex: str = "female", age: tuple[int, int] | None = (40, 40)) -> tuple[Any, Any] | None:
    quantity = Quantity(Decimal("2.35"), Decimal("2.35"), None, "mmol/L", "mmol/L")
    found = choose_range(list(entries), quantity, CALCIUM, TABLE, age, sex)
    return None if found is None else (found.low, found.high)


def between(low: str, high: str, unit: str = "mmol/L", **more: Any) -> dict[str, Any]:
    return {"low": {"value": Decimal(low), "unit": unit}, "high": {"value": Decimal(high), "unit": unit}, **more}


@pytest.mark.parametrize("nothing", ["0", "0.0", "-1"])
def test_a_limit_of_nothing_bounds_no_calcium(nothing: str) -> None:
    """An empty field of a laboratory system: 1.9 mmol/L had been normal by "0–2.57"."""
    assert limits(between(nothing, "2.57")) == (None, Decimal("2.57"))
    assert limits({"low": {"value": Decimal(nothing)}, "high": {"value": Decimal("2.57")}}) == (None, Decimal("2.57"))
    assert limits(between(nothing, nothing)) is None
    assert limits({"high": {"value": Decimal(nothing)}}) is None
    assert limits({"text": "0 - 2.57"}) == (None, Decimal("2.57"))


def test_what_can_be_nothing_keeps_its_limit() -> None:
    quantity = read_quantity({"value": Decimal("3"), "unit": "10*9/L"}, TABLE)
    assert quantity is not None
    entry = between("0", "5", unit="10*9/L")
    found = choose_range([entry], quantity, TABLE.analytes["leukocytes"], TABLE, (40, 40), "female")
    assert found is not None and (found.low, found.high) == (0, 5)


def years(low: int, high: int, unit: str = "a") -> dict[str, Any]:
    return {"age": {"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}}


FEMALE = {"appliesTo": [{"text": "Female"}]}
MALE = {"appliesTo": [{"coding": [{"code": "248153007"}]}]}


def test_ranges_are_chosen_by_type_age_and_sex() -> None:
    normal = (Decimal("2.15"), Decimal("2.57"))
    assert limits(between("2.15", "2.57")) == normal
    critical = between("1.5", "3.5", type={"coding": [{"code": "critical"}]})
    assert limits(critical, between("2.15", "2.57", type={"text": "Normal Range"})) == normal
    assert limits(between("1", "3", **years(0, 17)), between("2.15", "2.57", **years(18, 120))) == normal
    assert limits(between("1", "3", **MALE), between("2.15", "2.57", **FEMALE)) == normal


@pytest.mark.parametrize(
    "entries",
    [
        [between("2.57", "2.15")],
        [between("2.15", "2.57", **years(0, 60, unit="days"))],
        [between("2.15", "2.57", appliesTo=[{"text": "Pregnant"}])],
        [between("2.15", "2.57"), between("2.2", "2.6")],
        [between("2.15", "2.57", unit="furlong")],
        [{"text": "see comment"}],
        [{"text": "8.6-10.3 apples"}],
        ["x", None, 3],
    ],
)
def test_a_range_that_may_not_be_this_patients_is_none(entries: list[Any]) -> None:
    assert limits(*entries) is None


def test_a_range_in_another_unit_is_converted_to_the_unit_of_the_value() -> None:
    found = limits(between("8.6", "10.2", unit="mg/dL"))
    assert found == (Decimal("2.1457"), Decimal("2.5449"))  # four decimals: finer than any laboratory reports
    assert limits({"text": "2.15 - 2.57 mmol/L"}) == (Decimal("2.15"), Decimal("2.57"))


@given(
    st.dictionaries(
        st.sampled_from(["value", "unit", "code", "comparator", "system"]),
        st.none() | st.text(max_size=8) | st.integers() | st.decimals() | st.lists(st.integers(), max_size=2),
    )
)
def test_no_quantity_raises_and_none_is_normal_by_accident(value: dict[str, Any]) -> None:
    quantity = read_quantity(value, TABLE)
    if quantity is not None:
        try:
            found = to_canonical(quantity, CALCIUM, None)
        except ArithmeticError:
            return  # absurd exponents: the reader leaves the resource out
        assert found.problem is not None or found.low is not None or found.high is not None


@pytest.mark.parametrize("unit", ["10*9/L", "10^9/L", "10*3/uL", "x10^3/uL"])
def test_a_power_of_ten_behind_a_number_is_its_unit(unit: str) -> None:
    quantity = parse_quantity(f"62 {unit}", TABLE)
    assert quantity is not None
    assert (quantity.low, quantity.unit) == (62, "10*9/L")
    assert parse_quantity(f"62{unit}", TABLE) is None or unit.startswith("x")
