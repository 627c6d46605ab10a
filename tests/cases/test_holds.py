"""What holds a therapy back, in the words of charts (tests/data/holds): one clean chart and one wording more.

How a row is read: `one_wording.py`. Expected: `D1!` the rule D1 fires and no agent it speaks of may be ordered; `D4`
the rule fires, `~D4` it does not; `!diltiazem` it may not be ordered, `+diltiazem` it may still be; `-` nothing
changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cds_service.pipeline import Brain, load_brain
from hooks.answer import answer
from hooks.assess import assess
from hooks.model import Assessment
from tests.cases.held_charts import DAY
from tests.cases.one_wording import LANGUAGES, line, patients, raw_chart, rows
from tests.cases.one_wording import assessed as assessed_of
from tests.hooks.cards.examples import context, drug

Table = Mapping[str, tuple[str, bool, frozenset[str]]]
"""each therapy with its decision, whether it may be ordered, and the rules that fired"""


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain(DAY)


def assessed(brain: Brain, patient: str, *more: dict[str, Any]) -> Assessment:
    return assessed_of(brain, "holds", patient, *more)


def table(assessment: Assessment) -> Table:
    return {item.id: (item.decision, item.orderable, frozenset(item.rules)) for item in assessment.therapies}


def wrong(before: Table, after: Table, expected: str) -> str:
    """What is wrong with the answer; nothing when it is as expected."""
    if expected == "-":
        changed = {name: (before[name][0], *after[name][:2]) for name in after if after[name] != before[name]}
        return f"held without reason: {changed}" if changed else ""
    for word in expected.split():
        if word[0] in "!+":
            if after[word[1:]][1] != (word[0] == "+"):
                return f"{word[1:]} is {after[word[1:]]}"
            continue
        rule = word.strip("!~")
        agents = [name for name, item in after.items() if rule in item[2] and item != before[name]]
        if word[0] == "~":
            if agents:
                return f"{rule} fires for {agents}"
            continue
        if not agents:
            return f"{rule} does not fire"
        if word.endswith("!") and (open_ := [name for name in agents if after[name][1] or after[name][0] == "offer"]):
            return f"{rule} lets {open_} be ordered"
    return ""


@pytest.mark.parametrize("patient", ["man", "woman"])
def test_without_a_wording_the_first_options_are_offered(brain: Brain, patient: str) -> None:
    found = assessed(brain, patient)
    assert found.grade == "likely"
    offered = {name for name, (decision, orderable, _) in table(found).items() if decision == "offer" and orderable}
    assert {"diltiazem", "alendronate", "risedronate"} <= offered


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["condition", "note", "drug", "other"])
def test_each_wording_holds_back_what_it_speaks_against(brain: Brain, language: str, kind: str) -> None:
    kinds = {"condition": ("condition",), "note": ("note",), "drug": ("prescription", "statement")}
    listed = [k for group in kinds.values() for k in group]
    before = {patient: table(assessed(brain, patient)) for patient in patients("holds")}
    failed = [
        f"{row.kind}: {row.text}: {found}"
        for row in rows("holds", language)
        if (row.kind in kinds[kind] if kind in kinds else row.kind not in listed)
        and (
            found := wrong(before[row.chart], table(assessed(brain, row.chart, line(row.kind, row.text))), row.expected)
        )
    ]
    assert failed == []


def signed(brain: Brain, patient: str, drafted: str, *more: dict[str, Any]) -> list[dict[str, Any]]:
    """The cards of order-sign for a drafted drug."""
    draft = drug(drafted) | {"subject": {"reference": "Patient/p"}}
    facts = brain.reader.read(raw_chart("holds", patient, *more, drafts=(draft,)))
    return answer("order-sign", assess(facts, brain.knowledge, DAY), facts, brain.knowledge, context())


@pytest.mark.parametrize(("letter", "drafted"), [("D", "diltiazem 120 mg"), ("B", "alendronate 70 mg")])
def test_what_the_clinician_orders_is_held_back_by_the_same_words(brain: Brain, letter: str, drafted: str) -> None:
    asked = [
        row
        for language in LANGUAGES
        for row in rows("holds", language)
        if row.kind == "condition" and row.expected.startswith(letter) and row.expected.endswith("!")
    ]
    assert len(asked) > 40
    assert signed(brain, "man", drafted) == []
    assert [row.text for row in asked if not signed(brain, row.chart, drafted, line(row.kind, row.text))] == []


def test_wordings_are_many_in_each_language_and_some_hold_nothing() -> None:
    for language in LANGUAGES:
        assert len(rows("holds", language)) > 100
        assert sum(row.expected == "-" for row in rows("holds", language)) >= 8
