"""Every kind of card, written down for reading (golden/*.md). After a wanted change of wording:

GOLDEN=write make test   (or: GOLDEN=write .venv/bin/python -m pytest tests/hooks/cards/test_golden.py)
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.hooks.cards.examples import EXAMPLES, SILENT, Example, cards, understand, write_down

GOLDEN = Path(__file__).parent / "golden"

KINDS = {
    "detection-probable": ("probable", "detection"),
    "detection-possible-asks-for-hardness": ("possible", "detection"),
    "detection-likely-with-options": ("likely", "detection"),
    "management-known-and-growing": ("confirmed", "management"),
    "incomplete": ("incomplete", "incomplete"),
    "incomplete-documented": ("incomplete", "incomplete"),
    "incomplete-unread": ("incomplete", "incomplete"),
    "alternative-calcium-high": ("alternative", "alternative"),
    "urgent-calciphylaxis": ("urgent", "urgent"),
    "urgent-critical-calcium": ("urgent", "urgent"),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_as_written_down(name: str) -> None:
    found = write_down(cards(EXAMPLES[name]))
    file = GOLDEN / f"{name}.md"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in GOLDEN.glob("*.md")} == set(EXAMPLES)


@pytest.mark.parametrize(("name", "wanted"), KINDS.items())
def test_is_of_that_kind(name: str, wanted: tuple[str, str]) -> None:
    assessment, _ = understand(EXAMPLES[name])
    assert (assessment.grade, assessment.card) == wanted


@pytest.mark.parametrize("example", SILENT.values(), ids=SILENT.keys())
def test_silence_is_an_empty_list(example: Example) -> None:
    assert cards(example) == []
