"""What holds a therapy back as electronic records give it: codes, references, states, routes, panels, orders, devices.

One row of tests/data/holds/records.yaml is a clean chart and one fact more. `expected` as in `test_holds.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from cds_service.evaluate import evaluate_chart
from cds_service.pipeline import Brain, load_brain
from tests.cases.held_charts import DAY
from tests.cases.one_wording import DATA, patients, raw_chart
from tests.cases.test_holds import table, wrong

RECORDS: list[dict[str, Any]] = yaml.safe_load((DATA / "holds" / "records.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain(DAY)


@pytest.fixture(scope="module")
def before(brain: Brain) -> Mapping[str, Any]:
    return {name: found(brain, {"of": name, "lines": []}) for name in patients("holds")}


def found(brain: Brain, record: Mapping[str, Any]) -> Any:
    chart = raw_chart("holds", record["of"], *record["lines"], instead=record.get("patient"))
    return table(evaluate_chart(chart, brain, DAY, None).assessment)


@pytest.mark.parametrize("part", range(4))
def test_each_fact_holds_back_what_it_speaks_against(brain: Brain, before: Mapping[str, Any], part: int) -> None:
    failed = [
        f"{record['fact']}: {said}"
        for record in RECORDS[part::4]
        if (said := wrong(before[record["of"]], found(brain, record), record["expected"]))
    ]
    assert failed == []


def test_facts_are_many_and_a_quarter_of_them_holds_nothing() -> None:
    free = [r for r in RECORDS if r["expected"] == "-" or all(word[0] == "+" for word in r["expected"].split())]
    assert len(RECORDS) > 250
    assert len(free) > len(RECORDS) / 4
