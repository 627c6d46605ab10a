"""A few made-up calls of each operation; `make fuzz` sends many more."""

from __future__ import annotations

import pytest


def test_no_made_up_call_breaks_the_service() -> None:
    pytest.importorskip("schemathesis", reason="make fuzz-tools")
    from tests.fuzz.api import fuzz

    statuses, failed = fuzz(5)
    assert failed == []
    assert statuses.total() > 30
