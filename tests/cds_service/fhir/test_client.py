"""Small parts of the client that never raise on what a server sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.client import retry_after
from cds_service.gather import may_read


@given(st.text(max_size=40))
def test_retry_after_never_raises(value: str) -> None:
    found = retry_after(value)
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), (None, None), ("soon", None), ("²", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0)],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ("patient/Observation.read", True),
        ("patient/Observation.rs", True),
        ("patient/*.cruds", True),
        ("user/*.*", True),
        ("system/Observation.*", True),
        ("patient/Observation.r", False),
        ("patient/Observation.write", False),
        ("patient/Observation.rs?category=laboratory", False),
        ("patient/Condition.read launch", False),
        ("openid launch", True),
        ("", True),
    ],
)
def test_scopes(scopes: str, allowed: bool) -> None:
    assert may_read(scopes, "Observation") is allowed
