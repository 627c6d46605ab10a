"""Dates: what is written imprecisely never becomes more certain than it is."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.dates import PartialDate, _any_form, _is_usual_instant, add_months, is_date

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2024-02-29", "2024-02-29", "2024-02-29"),
        ("2024-02-29T23:30:00-05:00", "2024-02-29", "2024-02-29"),
        ("2024-02-29T10:15Z", "2024-02-29", "2024-02-29"),
        ("2024-02-29 10:15:00.123456789Z", "2024-02-29", "2024-02-29"),
        ("2024-02-29T24:00:00Z", "2024-02-29", "2024-02-29"),
    ],
)
def test_read(text: str, earliest: str, latest: str) -> None:
    found = PartialDate.parse(text)
    assert found is not None
    assert (found.earliest.isoformat(), found.latest.isoformat()) == (earliest, latest)


@pytest.mark.parametrize("text", ["", "2023-02-29", "2024-13", "0000", "29.02.2024", "2024-2-9", None, 2024, [], "now"])
def test_nonsense_is_none(text: object) -> None:
    assert PartialDate.parse(text) is None


def test_a_time_without_zone_is_marked() -> None:
    bare, zoned = PartialDate.parse("2024-02-29T10:00:00"), PartialDate.parse("2024-02-29T10:00:00Z")
    assert bare is not None and zoned is not None
    assert (bare.zone_missing, zoned.zone_missing) == (True, False)


@given(DAYS, DAYS, st.integers(0, 500), st.integers(0, 500))
def test_widening_a_date_never_turns_no_into_yes(day: date, limit: date, before: int, after: int) -> None:
    exact = PartialDate.of(day)
    wide = PartialDate(day - timedelta(days=before), day + timedelta(days=after))
    for one, other in (
        (exact.on_or_after(limit), wide.on_or_after(limit)),
        (exact.within(limit, limit + timedelta(days=90)), wide.within(limit, limit + timedelta(days=90))),
    ):
        assert other in (one, "possibly")


@given(DAYS, st.integers(0, 10**12), st.integers(0, 10**12))
def test_back_is_never_later_and_never_raises(day: date, months: int, days: int) -> None:
    assert PartialDate.of(day).back(months=months, days=days).latest <= day


@given(DAYS, st.integers(-600, 600))
def test_months_keep_the_day_or_take_the_last_one(day: date, months: int) -> None:
    moved = add_months(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day <= day.day


USUAL = (
    "2019-05-01T10:00:00Z",
    "2019-05-01T10:00:00.123Z",
    "2019-05-01T10:00:00+02:00",
    "2019-05-01T10:00:00.123-05:30",
    "9999-12-31T23:59:59-10:00",
    "0001-01-01T00:00:00+10:00",
    "2021-02-29T24:00:00Z",
)


def test_the_short_way_of_a_usual_instant_reads_the_same() -> None:
    """Instants as they are mostly written, up to three characters of them changed."""
    pick, short = random.Random(1), 0
    for _ in range(20_000):
        text = list(pick.choice(USUAL))
        for _ in range(pick.randrange(4)):
            text[pick.randrange(len(text))] = pick.choice("0123456789-+:.TZ t٣W,/")
        written = "".join(text)
        short += _is_usual_instant(written)
        assert PartialDate.parse(written) == _any_form(written), written
    assert short > 5_000


@pytest.mark.parametrize(
    "text",
    [
        "2024", "2024-02", "2024-02-30", "2024-02-29", "2023-02-29", "2024-02-29T10:00:00Z", "2024-02-30T10:00:00Z",
        "2024-02-29T24:00:00Z", "2024-02-29T10:00:00+01:00", "2024-02-29T10:00:00.123Z", "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00", "2024-02-29T10:00:00.123-05:00", "2024-02-29T10:61:00Z", "soon", "", "0000-01-01",
    ],
)  # fmt: skip
def test_what_is_a_date_can_be_read(text: str) -> None:
    assert is_date(text) == (PartialDate.parse(text) is not None)
