"""Small parts of the client that never raise on what a server sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.client import retry_after
from cds_service.gather import granted


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
    ("scopes", "share"),
    [
        ("patient/Observation.read", "all"),
        ("patient/Observation.rs", "all"),
        ("patient/*.cruds", "all"),
        ("user/*.*", "all"),
        ("system/Observation.*", "all"),
        ("patient/Observation.r", "none"),
        ("patient/Observation.write", "none"),
        ("patient/Observation.rs?category=laboratory", "part"),
        ("patient/*.rs?category=laboratory patient/Condition.rs", "part"),
        ("patient/Observation.rs?category=exam patient/Observation.rs", "all"),
        ("patient/Observation.c?category=laboratory", "none"),
        ("patient/Condition.read launch", "none"),
        ("openid launch", "all"),
        ("", "all"),
    ],
)
def test_how_much_scopes_grant(scopes: str, share: str) -> None:
    assert granted(scopes, "Observation") == share
