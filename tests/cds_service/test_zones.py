"""A hospital's day is that of its time zone: what is dated this morning there is none of tomorrow, wherever we run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cds_service.pipeline import Brain, load_brain
from mappings.dates import PartialDate
from mappings.facts import NEEDS, Completeness
from mappings.raw import RawChart
from tests.charts import chart

EAST, WEST = ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Niue")
"""14 hours before UTC and 11 behind: at any time it is another day in one of them."""


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain()


@pytest.mark.parametrize("zone", [EAST, WEST])
def test_the_day_begins_where_the_hospital_is(brain: Brain, zone: ZoneInfo) -> None:
    assert brain.in_zone(zone).today() == datetime.now(zone).date()
    assert brain.today() == datetime.now(UTC).date()


@pytest.mark.parametrize("zone", [EAST, WEST])
@pytest.mark.parametrize("written", ["in the zone", "in UTC", "without a zone", "as a day"])
def test_a_result_of_the_last_hour_is_one_of_today(brain: Brain, zone: ZoneInfo, written: str) -> None:
    local, now = brain.in_zone(zone), datetime.now(zone)
    moment = now - timedelta(minutes=1)
    stamp = {
        "in the zone": moment.isoformat(timespec="seconds"),
        "in UTC": moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "without a zone": moment.replace(tzinfo=None).isoformat(timespec="seconds"),
        "as a day": moment.date().isoformat(),
    }[written]
    table = f"""
        Patient | female | 49y
        Condition | SLE | onset -17y
        Exam | stony-hard nodules over both elbows, first noticed 3 months ago | -1d
        Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | {moment.date().isoformat()}
    """
    resources = chart(table, today=now.date()).resources
    calcium = next(dict(r) for r in resources if r["id"] == "laboratory-1") | {"effectiveDateTime": stamp}
    whole = RawChart(
        "patient-1",
        (*(r for r in resources if r["id"] != "laboratory-1"), calcium),
        {need: Completeness("complete") for need in NEEDS},
        zone=zone,
    )
    _, assessment = local.understand(whole)
    assert assessment.criteria.calcium.status == "normal"
    assert assessment.criteria.calcium.date == moment.date().isoformat()


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-05-20T23:30:00Z", date(2026, 5, 21)),
        ("2026-05-20T08:00:00+14:00", date(2026, 5, 20)),
        ("2026-05-20T00:00:00Z", date(2026, 5, 20)),
        ("2026-05-20T23:30:00", date(2026, 5, 20)),
        ("2026-05-20", date(2026, 5, 20)),
        ("9999-12-31T23:30:00Z", date(9999, 12, 31)),
        ("2026-12-31T12:00:00Z", date(2027, 1, 1)),
        ("2028-02-28T12:00:00Z", date(2028, 2, 29)),
    ],
)
def test_an_instant_is_of_the_day_that_it_was_there(written: str, day: date) -> None:
    found = PartialDate.parse(written)
    assert found is not None
    placed = found.in_zone(EAST)
    assert (placed.earliest, placed.latest) == (day, day)
