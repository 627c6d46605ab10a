"""A clean chart and one wording more: how the tables of `tests/data/holds` and `tests/data/detection` are read.

A row of a language is a patient of the folder's `charts.yaml`, the kind of resource that says it, the text, and what is
expected. A report, an observation and a laboratory result have their title before "|"; a result behind it is
"value unit [low-high]" or words.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.evaluate import evaluate_chart
from cds_service.pipeline import Brain
from hooks.model import Assessment
from mappings.facts import NEEDS, Completeness
from mappings.raw import RawChart
from tests.cases.held_charts import DAY, resources
from tests.yaml_files import read_yaml

DATA = Path(__file__).parents[1] / "data"
LANGUAGES = ("en", "es", "pt", "fr", "de")
SEEN = "2026-05-28"
_RESULT = re.compile(r"([<>]?)(\d+(?:\.\d+)?)\s*([^\[(]*?)\s*(?:\[([\d.]+)-([\d.]+)\])?")
_OF_PATIENT = {"resourceType": "Observation", "subject": {"reference": "Patient/p"}, "status": "final"}
_REPORTS = {"report": "CUS", "radiology": "RAD", "pathology": "PAT"}


@dataclass(frozen=True)
class Row:
    chart: str
    kind: str
    text: str
    expected: str


@cache
def rows(folder: str, language: str) -> tuple[Row, ...]:
    with (DATA / folder / f"{language}.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(Row(**line) for line in csv.DictReader(lines))


@cache
def patients(folder: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = read_yaml(DATA / folder / "charts.yaml")
    return found


def _chart(folder: str, name: str) -> list[dict[str, Any]]:
    entry = patients(folder)[name]
    return [*(_chart(folder, entry["extends"]) if "extends" in entry else []), *entry["chart"]]


def line(kind: str, text: str) -> dict[str, Any]:
    """The line of a chart that says the text."""
    title, _, rest = text.partition("|")
    if kind in ("laboratory", "observation"):
        category = {"category": [{"coding": [{"code": "laboratory"}]}]} if kind == "laboratory" else {}
        said = _value(rest) if kind == "laboratory" else {"valueString": rest}
        return {"Raw": _OF_PATIENT | category | {"code": {"text": title}, "effectiveDateTime": SEEN} | said}
    if kind in _REPORTS:
        return {"Report": {"text": title, "category": _REPORTS[kind], "date": SEEN, "conclusion": rest}}
    made: dict[str, dict[str, Any]] = {
        "condition": {"Condition": {"text": text, "recorded": "2026-05-24"}},
        "note": {"Note": {"text": "Progress note", "date": SEEN, "string": text}},
        "exam": {"Exam": {"string": text, "date": SEEN}},
        "prescription": {"Medication": {"text": text}},
        "statement": {"Statement": {"text": text, "start": "2026-03-01"}},
        "allergy": {"AllergyIntolerance": {"patient": {"reference": "Patient/p"}, "code": {"text": text}}},
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


def raw_chart(
    folder: str,
    patient: str,
    *more: dict[str, Any],
    drafts: tuple[dict[str, Any], ...] = (),
    instead: list[Any] | None = None,
) -> RawChart:
    """The patient's chart with more lines, with another sex and birth date if these are given."""
    chart = {"patient": instead or patients(folder)[patient]["patient"], "chart": [*_chart(folder, patient), *more]}
    return RawChart("p", tuple(resources(chart)), {need: Completeness("complete") for need in NEEDS}, drafts=drafts)


def assessed(brain: Brain, folder: str, patient: str, *more: dict[str, Any]) -> Assessment:
    return evaluate_chart(raw_chart(folder, patient, *more), brain, DAY, None).assessment
