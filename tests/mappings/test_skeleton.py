"""What is checked of a resource whose chart is not read."""

from __future__ import annotations

import msgspec

from mappings.reader import READ_TYPES, shape
from mappings.skeleton import _KINDS


def test_each_kind_asks_for_all_that_the_reader_checks_what_stands_in_most_first() -> None:
    """In the order of a resource: the decoder goes on from the last name that it found."""
    usual = ("status", "code", "medicationCodeableConcept", "subject", "valueQuantity", "component", "meta")
    assert {kind.__name__ for kind in _KINDS} == set(READ_TYPES)
    for kind in _KINDS:
        names = [field.name for field in msgspec.structs.fields(kind)]
        assert sorted(names) == sorted({"subject", "patient"} | shape.ELEMENTS[kind.__name__])
        assert names.index("subject") < names.index("patient")
        mostly = [name for name in names if name in usual]
        assert mostly == [name for name in usual if name in names] and names.index("meta") < len(mostly) + 2
