"""Published cases and look-alikes the rules were not made from, in many encodings (docs/held-cases.md)."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.evaluate import evaluate_chart
from cds_service.pipeline import Brain, load_brain
from hooks.model import to_json
from mappings.facts import NEEDS, Completeness
from mappings.raw import RawChart
from tests.cases.held_charts import DAY, Held, held_charts, judge

CASES = held_charts()


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain(DAY)


def answer(held: Held, brain: Brain) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    raw = RawChart("p", held.resources, {need: Completeness("complete") for need in NEEDS})
    evaluated = evaluate_chart(raw, brain, DAY, None)
    return to_json(evaluated.assessment), evaluated.cards


@pytest.mark.parametrize(
    "held",
    [pytest.param(held, id=f"{held.group}-{held.id}", marks=[pytest.mark.long] if held.long else []) for held in CASES],
)
def test_held_chart_is_answered_as_the_specification_says(brain: Brain, held: Held) -> None:
    found, cards = answer(held, brain)
    assert judge(held, found, cards) == {}, found["because"]


def test_charts_are_many_and_varied() -> None:
    assert len({case.id for case in CASES}) == len(CASES) >= 100
    assert sum(case.language != "en" for case in CASES) >= 20
    assert {case.language for case in CASES} == {"en", "es", "pt", "fr", "de"}
