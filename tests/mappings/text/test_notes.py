"""Whole notes as systems send them: sections, bullets, tables, markup, missing accents, upper case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mappings.text.engine import TextEngine
from tests.mappings.text import phrases as labelled

ENGINE = TextEngine.load()
FILE = Path(__file__).parents[2] / "data" / "notes" / "notes.yaml"
NOTES: list[dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def test_there_are_enough_of_them() -> None:
    assert len(NOTES) >= 25
    assert {note["language"] for note in NOTES} == {"en", "es", "pt", "fr", "de"}


@pytest.mark.parametrize("note", NOTES, ids=[note["name"] for note in NOTES])
def test_a_whole_note_is_read_as_it_is_meant(note: dict[str, Any]) -> None:
    phrase = labelled.Phrase(note["language"], note["kind"], note["text"], note["expected"])
    wanted, got = labelled.judge(ENGINE, phrase)
    assert sorted(wanted - got) == []
    assert sorted(got - wanted) == []
    assert ENGINE.read(note["text"], kind=note["kind"]).understood is note.get("understood", True)
