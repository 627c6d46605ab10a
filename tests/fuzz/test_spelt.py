"""A few thousand names in odd spellings; `make fuzz` makes as many as it has time for."""

from __future__ import annotations

from tests.fuzz.spelt import fuzz


def test_no_name_that_the_reader_reads_is_overlooked() -> None:
    found = fuzz(600, seed=1, most=4000)
    assert found.named > 1500
    assert found.overlooked == []
