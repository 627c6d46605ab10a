"""A chart's answer does not change when its texts are written the same but otherwise shaped: each held chart is judged
by its own expectation once more. A sample in every run, all of them in `make long`."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cds_service.pipeline import Brain, load_brain
from tests.cases.held_charts import DAY, Held, held_charts, judge
from tests.cases.test_held_cases import answer

Shape = Callable[[str], str]
_LONG_WORD = re.compile(r"\b([^\W\d_]{5,9})([^\W\d_]{5,})\b")
SHAPES: dict[str, Shape] = {
    "english-line-behind": lambda text: f"{text} Kind regards, Dr Smith.",
    "hard-blanks": lambda text: text.replace(" ", "\u00a0"),
    "two-blanks-behind-a-stop": lambda text: text.replace(". ", ".  "),
}
HARSH: dict[str, Shape] = {"long-words-hyphenated": lambda text: _LONG_WORD.sub("\\1-\n\\2", text)}
"""shapes that no system writes, which a chart in a thousand does not bear"""
_SHORTEST = 60
"""characters of a text that is a note, not a label"""
_TEXTS = frozenset({"valueString", "text", "conclusion"})
_SAMPLE = 40
CHARTS = held_charts()
SAMPLED = CHARTS[::_SAMPLE]


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain(DAY)


def _shaped(value: Any, shape: Shape) -> Any:
    """The resources with each longer text in another shape, those of plain attachments too."""
    if isinstance(value, list):
        return [_shaped(item, shape) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    plain = str(value.get("contentType", "")).startswith("text/plain")
    for key, item in value.items():
        if key in _TEXTS and isinstance(item, str) and len(item) > _SHORTEST:
            out[key] = shape(item)
        elif key == "data" and plain and isinstance(item, str):
            out[key] = _attachment(item, shape)
        else:
            out[key] = _shaped(item, shape)
    return out


def _attachment(data: str, shape: Shape) -> str:
    try:
        text = base64.b64decode(data).decode()
    except ValueError:  # a chart of its own purpose: no base64, or no text
        return data
    return base64.b64encode(shape(text).encode()).decode()


def _changed(charts: list[Held], name: str, brain: Brain) -> dict[str, dict[str, str]]:
    """What is judged otherwise than it was, by chart."""
    found = {}
    shaped = 0
    for held in charts:
        resources = _shaped(copy.deepcopy(list(held.resources)), (SHAPES | HARSH)[name])
        if resources == list(held.resources):
            continue
        shaped += 1
        wrong = judge(held, *answer(replace(held, resources=resources), brain))
        if wrong:
            found[held.id] = wrong
    assert shaped > len(charts) // 4
    return found


@pytest.mark.parametrize("name", SHAPES | HARSH)
def test_a_sample_of_charts_is_answered_the_same_in_another_shape(brain: Brain, name: str) -> None:
    assert _changed(SAMPLED, name, brain) == {}


@pytest.mark.long
@pytest.mark.parametrize("name", SHAPES)
def test_every_chart_is_answered_the_same_in_another_shape(brain: Brain, name: str) -> None:
    assert _changed([held for held in CHARTS if not held.long], name, brain) == {}
