"""What holds a therapy back as electronic records give it: codes, references, states, routes, panels, orders, devices.

One row of a table in tests/data/holds is a clean chart and one fact more. `expected` as in `test_holds.py`. `records`
was the first such set; `varied` tries forms that no other table uses: `varied_records.yaml` (patients, drugs, allergies
and vital signs), `varied_findings.yaml` (conditions, results, procedures, vaccines) and, as clinicians write,
`varied.csv`. `further` tries code systems, units, shapes and professions that these do not have, and `again` asks
whether what was mended for it holds in other forms. `terms` are names of states as terminologies of five languages
hold them, with names that lie near and hold nothing back.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

import pytest

from cds_service.evaluate import evaluate_chart
from cds_service.pipeline import Brain, load_brain
from tests.cases.held_charts import DAY
from tests.cases.one_wording import DATA, line, patients, raw_chart
from tests.cases.test_holds import table, wrong
from tests.yaml_files import read_yaml

_HOLDS = DATA / "holds"
_PARTS = 5


def _records(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_yaml(_HOLDS / f"{name}.yaml")
    return rows


def _written(name: str) -> list[dict[str, Any]]:
    """What clinicians write, as rows of a table of records."""
    with (_HOLDS / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return [
            {"of": row["chart"], "fact": row["text"], "lines": [line(row["kind"], row["text"])]}
            | {"expected": row["expected"]}
            for row in csv.DictReader(lines)
        ]


SETS = {
    "records": _records("records"),
    "varied": [*_records("varied_records"), *_records("varied_findings"), *_written("varied")],
    "further": [*_records("further_codes"), *_records("further_records"), *_written("further")],
    "again": [*_records("further_again"), *_written("further_again")],
    "terms": _written("terms"),
}


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain(DAY)


@pytest.fixture(scope="module")
def before(brain: Brain) -> Mapping[str, Any]:
    return {name: found(brain, {"of": name, "lines": []}) for name in patients("holds")}


def found(brain: Brain, record: Mapping[str, Any]) -> Any:
    chart = raw_chart("holds", record["of"], *record["lines"], instead=record.get("patient"))
    return table(evaluate_chart(chart, brain, DAY, None).assessment)


@pytest.mark.parametrize("part", range(_PARTS))
@pytest.mark.parametrize("name", SETS)
def test_each_fact_holds_back_what_it_speaks_against(
    brain: Brain, before: Mapping[str, Any], name: str, part: int
) -> None:
    failed = [
        f"{record['fact']}: {said}"
        for record in SETS[name][part::_PARTS]
        if (said := wrong(before[record["of"]], found(brain, record), record["expected"]))
    ]
    assert failed == []


@pytest.mark.parametrize(
    ("name", "least", "share"),
    [("records", 250, 4), ("varied", 600, 5), ("further", 570, 5), ("again", 90, 4), ("terms", 110, 4)],
)
def test_facts_are_many_and_many_of_them_hold_nothing(name: str, least: int, share: int) -> None:
    facts = SETS[name]
    free = [f for f in facts if f["expected"] == "-" or all(word[0] in "+~" for word in f["expected"].split())]
    assert len(facts) > least
    assert len(free) > len(facts) / share
