"""What holds a therapy back, in the words of charts (tests/data/holds): one clean chart and one wording more.

A row of a language is a patient of `charts.yaml`, the kind of resource that says it, the text, and what is expected:
`D1!` the rule D1 fires and no agent it speaks of may be ordered; `D4` the rule fires; `-` nothing changes. A report, an
observation and a laboratory result have their title before "|"; a result behind it is "value unit [low-high]" or words.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.evaluate import evaluate_chart
from cds_service.pipeline import Brain, load_brain
from hooks.answer import answer
from hooks.assess import assess
from hooks.model import Assessment
from mappings.facts import NEEDS, Completeness
from mappings.raw import RawChart
from tests.cases.held_charts import DAY, resources
from tests.hooks.cards.examples import context, drug

FOLDER = Path(__file__).parents[1] / "data" / "holds"
LANGUAGES = ("en", "es", "pt", "fr", "de")
SEEN = "2026-05-28"
_RESULT = re.compile(r"([<>]?)(\d+(?:\.\d+)?)\s*([^\[]*?)\s*(?:\[([\d.]+)-([\d.]+)\])?")
_OF_PATIENT = {"resourceType": "Observation", "subject": {"reference": "Patient/p"}, "status": "final"}

Table = Mapping[str, tuple[str, bool, frozenset[str]]]
"""each therapy with its decision, whether it may be ordered, and the rules that fired"""


@dataclass(frozen=True)
class Row:
    chart: str
    kind: str
    text: str
    expected: str


@cache
def rows(language: str) -> tuple[Row, ...]:
    with (FOLDER / f"{language}.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(Row(**line) for line in csv.DictReader(lines))


@cache
def _patients() -> Mapping[str, Any]:
    return yaml.safe_load((FOLDER / "charts.yaml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def _chart(name: str) -> list[dict[str, Any]]:
    entry = _patients()[name]
    return [*(_chart(entry["extends"]) if "extends" in entry else []), *entry["chart"]]


def line(kind: str, text: str) -> dict[str, Any]:
    """The line of a chart that says the text."""
    title, _, rest = text.partition("|")
    if kind in ("laboratory", "observation"):
        category = {"category": [{"coding": [{"code": "laboratory"}]}]} if kind == "laboratory" else {}
        said = _value(rest) if kind == "laboratory" else {"valueString": rest}
        return {"Raw": _OF_PATIENT | category | {"code": {"text": title}, "effectiveDateTime": SEEN} | said}
    made: dict[str, dict[str, Any]] = {
        "condition": {"Condition": {"text": text, "recorded": "2026-05-24"}},
        "note": {"Note": {"text": "Progress note", "date": SEEN, "string": text}},
        "exam": {"Exam": {"string": text, "date": SEEN}},
        "prescription": {"Medication": {"text": text}},
        "statement": {"Statement": {"text": text, "start": "2026-03-01"}},
        "allergy": {"AllergyIntolerance": {"patient": {"reference": "Patient/p"}, "code": {"text": text}}},
        "report": {"Report": {"text": title, "category": "CUS", "date": SEEN, "conclusion": rest}},
    }
    return made[kind]


def _value(words: str) -> dict[str, Any]:
    match = _RESULT.fullmatch(words)
    if not match:
        return {"valueString": words}
    comparator, value, unit, low, high = match.groups()
    quantity = {"value": float(value), "unit": unit} | ({"comparator": comparator} if comparator else {})
    limits = {name: {"value": float(limit), "unit": unit} for name, limit in (("low", low), ("high", high)) if limit}
    return {"valueQuantity": quantity} | ({"referenceRange": [limits]} if limits else {})


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain(DAY)


def assessed(brain: Brain, patient: str, *more: dict[str, Any]) -> Assessment:
    held = resources({"patient": _patients()[patient]["patient"], "chart": [*_chart(patient), *more]})
    raw = RawChart("p", tuple(held), {need: Completeness("complete") for need in NEEDS})
    return evaluate_chart(raw, brain, DAY, None).assessment


def table(assessment: Assessment) -> Table:
    return {item.id: (item.decision, item.orderable, frozenset(item.rules)) for item in assessment.therapies}


def wrong(before: Table, after: Table, expected: str) -> str:
    """What is wrong with the answer; nothing when it is as expected."""
    if expected == "-":
        changed = {name: (before[name][0], *after[name][:2]) for name in after if after[name] != before[name]}
        return f"held without reason: {changed}" if changed else ""
    for word in expected.split():
        rule = word.rstrip("!")
        agents = [name for name, item in after.items() if rule in item[2] and item != before[name]]
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
    before = {patient: table(assessed(brain, patient)) for patient in _patients()}
    failed = [
        f"{row.kind}: {row.text}: {found}"
        for row in rows(language)
        if (row.kind in kinds[kind] if kind in kinds else row.kind not in listed)
        and (
            found := wrong(before[row.chart], table(assessed(brain, row.chart, line(row.kind, row.text))), row.expected)
        )
    ]
    assert failed == []


def signed(brain: Brain, patient: str, drafted: str, *more: dict[str, Any]) -> list[dict[str, Any]]:
    """The cards of order-sign for a drafted drug."""
    held = resources({"patient": _patients()[patient]["patient"], "chart": [*_chart(patient), *more]})
    draft = drug(drafted) | {"subject": {"reference": "Patient/p"}}
    raw = RawChart("p", tuple(held), {need: Completeness("complete") for need in NEEDS}, drafts=(draft,))
    facts = brain.reader.read(raw)
    return answer("order-sign", assess(facts, brain.knowledge, DAY), facts, brain.knowledge, context())


@pytest.mark.parametrize(("letter", "drafted"), [("D", "diltiazem 120 mg"), ("B", "alendronate 70 mg")])
def test_what_the_clinician_orders_is_held_back_by_the_same_words(brain: Brain, letter: str, drafted: str) -> None:
    asked = [
        row
        for language in LANGUAGES
        for row in rows(language)
        if row.kind == "condition" and row.expected.startswith(letter) and row.expected.endswith("!")
    ]
    assert len(asked) > 40
    assert signed(brain, "man", drafted) == []
    assert [row.text for row in asked if not signed(brain, row.chart, drafted, line(row.kind, row.text))] == []


def test_wordings_are_many_in_each_language_and_some_hold_nothing() -> None:
    for language in LANGUAGES:
        assert len(rows(language)) > 100
        assert sum(row.expected == "-" for row in rows(language)) >= 8
