"""Words between numbers are data, and one list of them serves every reader."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.codelists import load_terminology
from mappings.text.common import either, load_common
from mappings.text.engine import TextEngine
from mappings.text.folding import fold
from mappings.units import load_units
from mappings.values import Quantity, Range, parse_range

ENGINE = TextEngine.load()
NUMBERS = load_common().numbers


@pytest.mark.parametrize("word", NUMBERS.limits)
def test_a_word_between_two_limits_is_read_wherever_limits_stand(word: str) -> None:
    table = load_units()
    value = Quantity(Decimal("9.4"), Decimal("9.4"), None, "mg/dL", "mg/dL")
    told = parse_range(f"Ref: 8.6 {word} 10.2", value, table.analytes["calcium-total"], table)
    assert told == Range(Decimal("8.6"), Decimal("10.2"))
    (calcium,) = ENGINE.read(f"Calcium 9.4 mg/dL Ref: 8.6 {word} 10.2").labs
    assert calcium.limits == f"8.6 {fold(word)} 10.2"
    (lesion,) = ENGINE.read(f"Hard nodule of the left elbow, 2 {word} 3 cm.").lesions
    assert lesion.size_cm == Decimal(3)


def test_the_tests_of_each_kind_are_known() -> None:
    common = load_common()
    named = {name.partition(":")[0] for name in common.analytes} | load_terminology().known_analytes
    kinds = common.results
    listed = (*kinds.estimated, *kinds.told_in_words, *kinds.quantities, kinds.pressure)
    assert {*listed, common.pulse.analyte, common.pulse.instead_of, common.pulse.tracing} <= named


def test_words_become_a_pattern_with_and_without_accents_the_longer_first() -> None:
    assert either(["à", "até"], ["a la"]) == r"a\s?la|ate|até|a|à"
