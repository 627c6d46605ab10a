"""Results in words: what was measured as normal, and what is only told of the patient."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


def words(text: str) -> list[tuple[str, str | None, str]]:
    return [(lab.analyte, lab.word, lab.status) for lab in ENGINE.read(text).labs]


@pytest.mark.parametrize(
    "text", ["There was no abnormality of calcium.", "Calcium within normal limits.", "No abnormality in serum calcium"]
)
def test_a_denied_abnormality_of_a_result_is_a_normal_result(text: str) -> None:
    assert words(text) == [("calcium-total", "normal", "affirmed")]


@pytest.mark.parametrize(
    "text",
    [
        "No history of disorder of calcium metabolism.",
        "Denies any disorder of calcium metabolism.",
        "Pas de trouble du métabolisme du calcium.",
        "Keine Störung des Calciumstoffwechsels.",
    ],
)
def test_a_denied_disorder_is_no_measurement(text: str) -> None:
    assert words(text) == []


def test_a_disorder_is_no_normal_result() -> None:
    assert words("Disorder of calcium metabolism") == [("calcium-total", "abnormal", "affirmed")]
