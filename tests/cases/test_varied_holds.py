"""What holds a therapy back in forms that the other tables of tests/data/holds do not use.

`varied_records.yaml` (patients, drugs, allergies, vital signs) and `varied_findings.yaml` (conditions, results,
procedures, vaccines) as in `test_recorded_holds.py`; `varied.csv`, what clinicians write, as in `test_holds.py`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from cds_service.pipeline import Brain, load_brain
from tests.cases.held_charts import DAY
from tests.cases.one_wording import DATA, line, patients
from tests.cases.test_holds import wrong
from tests.cases.test_recorded_holds import found

HOLDS = DATA / "holds"


def facts() -> list[dict[str, Any]]:
    """Every fact of the three tables as a row of a table of records."""
    rows = [
        row
        for name in ("varied_records", "varied_findings")
        for row in yaml.safe_load((HOLDS / f"{name}.yaml").read_text(encoding="utf-8"))
    ]
    with (HOLDS / "varied.csv").open(encoding="utf-8", newline="") as lines:
        rows += [
            {"of": row["chart"], "fact": row["text"], "lines": [line(row["kind"], row["text"])]}
            | {"expected": row["expected"]}
            for row in csv.DictReader(lines)
        ]
    return rows


FACTS = facts()


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain(DAY)


@pytest.fixture(scope="module")
def before(brain: Brain) -> Mapping[str, Any]:
    return {name: found(brain, {"of": name, "lines": []}) for name in patients("holds")}


@pytest.mark.parametrize("part", range(6))
def test_each_fact_holds_back_what_it_speaks_against(brain: Brain, before: Mapping[str, Any], part: int) -> None:
    failed = [
        f"{fact['fact']}: {said}"
        for fact in FACTS[part::6]
        if (said := wrong(before[fact["of"]], found(brain, fact), fact["expected"]))
    ]
    assert failed == []


def test_facts_are_many_and_a_fifth_of_them_holds_nothing() -> None:
    free = [f for f in FACTS if f["expected"] == "-" or all(word[0] in "+~" for word in f["expected"].split())]
    assert len(FACTS) > 600
    assert len(free) > len(FACTS) / 5
