"""Chart tables for tests: `chart("…")` builds a patient's chart for the tests' own day.

    from tests.charts import TODAY, chart

    facts = ChartReader(...).read(chart('''
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

from cds_service.sandbox.charts import Chart, ChartError
from cds_service.sandbox.charts import chart as build_chart

TODAY = date(2026, 6, 1)

__all__ = ["TODAY", "Chart", "ChartError", "chart"]


def chart(table: str, today: date = TODAY, patient_id: str = "patient-1") -> Chart:
    return build_chart(table, today=today, patient_id=patient_id)
