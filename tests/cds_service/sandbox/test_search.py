"""Search semantics against a plain restatement of the specification, and on charts with any JSON in them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.sandbox.search import SearchError, criterion, interval
from cds_service.sandbox.store import Store

days = st.dates(date(1900, 1, 1), date(2100, 1, 1))
NAMES = ["coding", "code", "system", "text", "reference", "start", "end", "value"]
json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


def found(resource: dict, name: str, value: str) -> bool:
    wanted = criterion("Observation", name, value)
    assert wanted is not None
    return wanted.matches(resource)


@given(days, days)
def test_day_prefixes(target: date, asked: date) -> None:
    resource = {"effectiveDateTime": target.isoformat()}
    text = asked.isoformat()
    assert found(resource, "date", text) == (target == asked)
    assert found(resource, "date", f"ne{text}") == (target != asked)
    assert found(resource, "date", f"gt{text}") == (target > asked)
    assert found(resource, "date", f"sa{text}") == (target > asked)
    assert found(resource, "date", f"lt{text}") == (target < asked)
    assert found(resource, "date", f"eb{text}") == (target < asked)
    assert found(resource, "date", f"ge{text}") == (target >= asked)
    assert found(resource, "date", f"le{text}") == (target <= asked)


@given(days, st.integers(0, 400))
def test_period_overlap(start: date, length: int) -> None:
    end = start + timedelta(days=length)
    resource = {"effectivePeriod": {"start": start.isoformat(), "end": end.isoformat()}}
    assert found(resource, "date", f"ge{end.isoformat()}")
    assert found(resource, "date", f"le{start.isoformat()}")
    assert found(resource, "date", start.isoformat()) == (length == 0)
    assert found({"effectivePeriod": {"start": start.isoformat()}}, "date", f"gt{end.isoformat()}"), "open end"


def test_offsets_are_the_same_instant() -> None:
    assert interval("2026-06-01T10:00:00+02:00") == interval("2026-06-01T08:00:00Z")
    assert interval("2026-06-01T10:00:00 02:00") == interval("2026-06-01T08:00:00Z"), "a plus sign that a URL lost"
    assert interval("2026-06") == (datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 30, 23, 59, 59, 999999, UTC))


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [("a|1", True), ("1", True), ("a|", True), ("b|1", False), ("|1", False), ("|2", True), ("2", True), ("3,1", True)],
)
def test_token_forms(wanted: str, matches: bool) -> None:
    resource = {"code": {"coding": [{"system": "a", "code": "1"}, {"code": "2"}]}}
    assert found(resource, "code", wanted) is matches


def test_comma_can_be_escaped() -> None:
    assert found({"code": {"coding": [{"code": "1,2"}]}}, "code", r"1\,2")


def test_unsupported_modifier_is_refused() -> None:
    with pytest.raises(SearchError, match="not"):
        criterion("Observation", "code:not", "1")


@given(
    st.dictionaries(
        st.sampled_from(["code", "category", "subject", "effectiveDateTime", "effectivePeriod", "meta"]), json
    )
)
def test_any_json_can_be_searched(elements: dict) -> None:
    store = Store()
    resource = {"resourceType": "Observation", "id": "x"} | elements
    if not isinstance(resource.get("meta", {}), dict):
        resource.pop("meta")
    store.load([resource])
    for name, value in (
        ("code", "a|b"),
        ("category", "x"),
        ("patient", "p"),
        ("date", "2026"),
        ("_lastUpdated", "gt2000"),
    ):
        store.search("Observation", [(name, value), ("_sort", "-date,code,_lastUpdated")])
    store.close()
