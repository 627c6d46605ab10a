"""What a restricted entry tells is neither on the companion's page nor in its answers and saved notes."""

from __future__ import annotations

import json

import pytest

from hooks.dialogue import moved
from hooks.knowledge import load_knowledge
from hooks.model import to_json
from hooks.restricted import restricted, without_restricted
from tests.hooks.dialogue.talking import talk

_LUPUS = "Condition | SLE | onset -17y\n"
_CHART = (
    "Patient | female | 40y\n"
    "Exam | stony-hard nodules over both elbows, first noticed 3 months ago | -10d\n"
    "Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d\n"
)
_ENTRIES = [
    ("Condition | B18.1 | onset -2y | security=R\n", "hepatitis"),
    ("Condition | Z33.1 | onset -60d | security=R\n", "pregnan"),
    ("Condition | C50.9 | onset -2y | security=V\n", "history of cancer"),
    ("Condition | I44.2 | onset -2y | security=R\n", "block "),
]


def said(table: str) -> str:
    """Every sentence about the patient, the ids of therapies and work-up aside."""
    found = to_json(talk(table).at({}, ask=False).assessment)
    texts = [found["criteria"], found["notes"], found["because"], [flag["text"] for flag in found["redFlags"]]]
    texts += [
        [item["because"], item.get("notes")] for key in ("therapies", "workup", "differential") for item in found[key]
    ]
    return json.dumps(texts).casefold()


def test_a_restricted_disease_is_not_told() -> None:
    hidden = _LUPUS.replace("\n", " | security=R\n")
    assert "lupus" in said(_CHART + _LUPUS)
    told = said(_CHART + hidden)
    assert "lupus" not in told
    assert '"sle"' not in told
    assert "restricted access" in told


@pytest.mark.parametrize(("entry", "word"), _ENTRIES)
def test_a_restricted_condition_counts_but_is_not_told(entry: str, word: str) -> None:
    table = _CHART + _LUPUS
    shown = entry.rpartition(" |")[0] + "\n"
    assert said(table + shown).count(word) > said(table).count(word)
    assert said(table + entry).count(word) <= said(table).count(word)
    open_step, hidden_step = (talk(table + row).at({}, ask=False).assessment for row in (shown, entry))
    assert [(t.id, t.decision) for t in open_step.therapies] == [(t.id, t.decision) for t in hidden_step.therapies]


def test_a_restricted_result_has_no_figure_nor_day() -> None:
    told = said(_CHART.replace("-10d\n", "-10d | security=R\n") + _LUPUS)
    assert "2.31" in said(_CHART + _LUPUS)
    assert "2.31" not in told
    assert "2026-05-22" not in told


def test_a_change_is_not_explained_by_a_restricted_entry() -> None:
    before = talk(_CHART + _LUPUS).at({}, ask=False).assessment
    after = talk(_CHART + _LUPUS + _ENTRIES[3][0]).at({}, ask=False).assessment
    moves = [move for move in moved(before, after) if move.id == "diltiazem"]
    assert moves
    assert all("restricted access" in move.because for move in moves)


def test_nothing_changes_where_nothing_is_restricted() -> None:
    dialogue = talk(_CHART + _LUPUS)
    assert restricted(dialogue.facts) == frozenset()
    assert without_restricted(dialogue.baseline, dialogue.facts, load_knowledge()) is dialogue.baseline
