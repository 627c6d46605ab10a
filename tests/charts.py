"""Chart tables for tests: `chart("…")` builds a patient's chart for the tests' own day.

    from tests.charts import TODAY, chart, reader

    facts = reader().read(chart('''
        Patient    | female | 49y
        Condition  | SLE | onset -17y
        Exam       | stony-hard nodules over both elbows | -10d
        Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
    ''').raw())

The table language is described in `cds_service/sandbox/charts.py`. `chart(...).raw()` is what the reader takes,
`.json()` a collection Bundle for HTTP, `.resources` the single resources.
"""

from __future__ import annotations

from datetime import date
from functools import cache

from cds_service.sandbox.charts import Chart, ChartError
from cds_service.sandbox.charts import chart as build_chart
from mappings.codelists import load_terminology
from mappings.facts import NEEDS, Completeness
from mappings.reader import ChartReader
from mappings.text.engine import TextEngine

TODAY = date(2026, 6, 1)
COMPLETE = {need: Completeness("complete") for need in NEEDS}
DETECTION = """
    Patient    | female | 49y
    Condition  | SLE | onset -17y
    Exam       | stony-hard nodules over both elbows | -10d
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
"""
"""The smallest chart that gets a detection card."""

__all__ = ["COMPLETE", "DETECTION", "TODAY", "Chart", "ChartError", "chart", "reader"]


def chart(table: str, today: date = TODAY, patient_id: str = "patient-1") -> Chart:
    return build_chart(table, today=today, patient_id=patient_id)


@cache
def reader() -> ChartReader:
    """The reader with all of our own tables, made once for a process."""
    terminology = load_terminology()
    return ChartReader(terminology, terminology.drugs, TextEngine.load())
