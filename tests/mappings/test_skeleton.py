"""What is checked of a resource whose chart is not read."""

from __future__ import annotations

import msgspec

from mappings.reader import READ_TYPES, shape
from mappings.skeleton import _KINDS


def test_each_kind_asks_for_all_that_the_reader_checks_what_stands_in_most_first() -> None:
    """In the order of a resource: the decoder goes on from the last name that it found."""
    wanted = {"subject", "patient", *shape.OBJECTS, *shape.TEXTS, *shape.LISTS}
    usual = ("status", "code", "subject", "valueQuantity", "component", "meta")
    assert {kind.__name__ for kind in _KINDS} == set(READ_TYPES)
    for kind in _KINDS:
        names = [field.name for field in msgspec.structs.fields(kind)]
        assert sorted(names) == sorted(wanted)
        assert names.index("subject") < names.index("patient")
        assert [name for name in names if name in usual] == [*usual] and names.index("meta") < len(usual) + 2
