"""A few made-up calls of each operation; `make fuzz` sends many more."""

from __future__ import annotations

import pytest


def test_no_made_up_call_breaks_the_service() -> None:
    pytest.importorskip("schemathesis", reason="make fuzz-tools")
    from tests.fuzz.api import fuzz

    statuses, failed = fuzz(5)
    assert failed == []
    assert statuses.total() > 30


def test_a_broken_promise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check itself: a description without 404 is contradicted by unknown keys of the evidence base."""
    pytest.importorskip("schemathesis", reason="make fuzz-tools")
    from cds_service import openapi
    from tests.fuzz.api import fuzz

    path = ("/evidence/{key}", "get")
    less = (*openapi._OPERATIONS[path][:2], ())
    monkeypatch.setattr(openapi, "_OPERATIONS", openapi._OPERATIONS | {path: less})
    _, failed = fuzz(3)
    assert failed
    assert all(f.startswith("GET /evidence/{key}: 404") for f in failed)
