"""Results that were read only in part (FHIR-2): what came may not be the newest, and an older one is no word on now."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hooks.assess import assess
from hooks.knowledge import load_knowledge
from mappings.dates import PartialDate
from mappings.facts import Completeness, PatientFacts
from tests.charts import COMPLETE, DETECTION, TODAY, chart, reader

PART = Completeness("partial", "timeout")
NORMAL = "2.31 mmol/L [2.15–2.57] | -10d"


def facts(state: Completeness, calcium: str = NORMAL) -> PatientFacts:
    table = DETECTION.replace(NORMAL, calcium)
    assert calcium in table
    return reader().read(chart(table).raw(observations=state))


@pytest.mark.parametrize(
    ("calcium", "whole"),
    [
        (NORMAL, "normal"),
        ("2.31 mmol/L [2.15–2.57] | -200d", "stale"),
        ("2.58 mmol/L [2.15–2.57] | -10d", "high"),
        ("1.95 mmol/L [2.15–2.57] | -10d", "low"),
    ],
)
def test_only_what_reassures_needs_the_newest(calcium: str, whole: str) -> None:
    judged = {
        name: assess(facts(state, calcium), load_knowledge(), TODAY).criteria.calcium
        for name, state in (
            ("complete", COMPLETE["observations"]),
            ("part", PART),
            ("newest", Completeness("partial", "timeout", has_newest=True)),
        )
    }
    assert (judged["complete"].status, judged["newest"].status) == (whole, whole)
    kept = whole in ("high", "low")
    assert judged["part"].status == (whole if kept else "unknown")
    if not kept:
        assert "timeout" in judged["part"].because
        assert judged["part"].category is None, "it says nothing of what calcium is now"
        assert judged["part"].evidence == judged["complete"].evidence


@pytest.mark.parametrize(("told", "status"), [(PartialDate.of(TODAY), "normal"), (None, "unknown")])
def test_nothing_is_newer_than_what_is_told_today(told: PartialDate | None, status: str) -> None:
    """An answer to a question is of the day; a result of this morning may have been followed by another."""
    drawn = PartialDate.parse(f"{TODAY}T06:30:00Z")
    chart = facts(PART)
    chart = replace(chart, results=tuple(replace(r, date=told or drawn) for r in chart.results))
    assert assess(chart, load_knowledge(), TODAY).criteria.calcium.status == status


def test_an_unavailable_need_tells_nothing_newest() -> None:
    assert not Completeness("unavailable", "timeout", has_newest=True).tells_newest
    assert Completeness("complete").tells_newest


def test_calcium_is_asked_for_again() -> None:
    found = assess(facts(PART), load_knowledge(), TODAY)
    assert found.grade == "incomplete"
    assert "calcium" in " ".join(found.missing)
