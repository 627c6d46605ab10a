"""What a note without a unit is measured by is the limit of the rules that ask for it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hooks.knowledge import load_knowledge
from hooks.knowledge.dialogue_schema import load_dialogue
from hooks.knowledge.entries import entries
from hooks.knowledge.safety_schema import LabTest
from mappings.units import load_units

BELOW_ITS_RANGE = {
    "neutrophils": Decimal("1.5"),
    "calcium-total": Decimal("2.1"),
    "calcium-adjusted": Decimal("2.1"),
}
"""low by any laboratory's range: grade 2 of CTCAE 5.0; the limits that hold without a range (clinical rule 2.3)"""


def test_a_number_without_a_unit_is_low_by_the_limit_of_the_rules() -> None:
    tests = [entry.value for entry in entries(load_knowledge(), load_dialogue()) if isinstance(entry.value, LabTest)]
    limits = {name: known.low_below for name, known in load_units().analytes.items() if known.low_below is not None}
    assert limits
    for analyte in BELOW_ITS_RANGE:  # the rules ask for the laboratory's range, which a note does not have
        assert limits.pop(analyte) == BELOW_ITS_RANGE[analyte]
    for analyte, limit in limits.items():
        assert {test.below for test in tests if test.analyte == analyte and test.below is not None} == {limit}


def test_a_number_without_a_unit_is_high_by_the_limit_of_the_rules() -> None:
    tests = [entry.value for entry in entries(load_knowledge(), load_dialogue()) if isinstance(entry.value, LabTest)]
    limits = {name: known.high_above for name, known in load_units().analytes.items() if known.high_above is not None}
    assert limits.keys() == {"alt", "creatinine"}
    assert {test.above for test in tests if test.analyte == "creatinine" and test.above is not None} == {
        limits["creatinine"]
    }
    assert {test.times_upper * 55 for test in tests if test.analyte == "alt" and test.times_upper} == {limits["alt"]}


@pytest.mark.parametrize(
    ("analyte", "number", "said"),
    [
        ("platelets", "62", ("low", "10*9/L")),
        ("platelets", "58000", ("low", "/uL")),
        ("platelets", "210", None),
        ("platelets", "240000", None),
        ("alt", "180", ("high", "U/L")),
        ("alt", "34", None),
        ("alt", "3.1", None),
        ("creatinine", "3.1", ("high", "mg/dL")),
        ("creatinine", "310", ("high", "umol/L")),
        ("creatinine", "0.9", None),
        ("creatinine", "80", None),
        ("egfr", "26", None),
        ("leukocytes", "1.8", None),  # of the urine or a joint, as often
        ("neutrophils", "600", ("low", "/uL")),
        ("neutrophils", "62", None),
        ("calcium-total", "7.4", ("low", None)),  # no unit is made up: low, never critical
        ("calcium-total", "1.9", ("low", None)),
        ("calcium-total", "9.4", None),
        ("calcium-total", "2.3", None),
        ("calcium-total", "1.1", None),  # it may be the ionized one
        ("vitamin-d-25-oh", "9", ("low", None)),
    ],
)
def test_only_what_is_dangerous_in_every_unit_is_taken(analyte: str, number: str, said: object) -> None:
    assert load_units().analytes[analyte].surely(analyte, Decimal(number)) == said


def test_a_number_that_names_a_kind_of_a_drug_is_no_result() -> None:
    known = load_units().analytes["vitamin-d-25-oh"]
    assert known.surely("vitamin d", Decimal(2)) is None
    assert known.surely("vitamin d", Decimal(9)) == known.surely("25-oh-d", Decimal(2)) == ("low", None)
