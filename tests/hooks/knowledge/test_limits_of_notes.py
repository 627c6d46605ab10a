"""What a note without a unit is measured by is the limit of the rules that ask for it."""

from __future__ import annotations

from hooks.knowledge import load_knowledge
from hooks.knowledge.dialogue_schema import load_dialogue
from hooks.knowledge.entries import entries
from hooks.knowledge.safety_schema import LabTest
from mappings.units import load_units


def test_a_number_without_a_unit_is_low_by_the_limit_of_the_rules() -> None:
    tests = [entry.value for entry in entries(load_knowledge(), load_dialogue()) if isinstance(entry.value, LabTest)]
    limits = {name: known.low_below for name, known in load_units().analytes.items() if known.low_below is not None}
    assert limits
    for analyte, limit in limits.items():
        assert {test.below for test in tests if test.analyte == analyte and test.below is not None} == {limit}
