"""What makes the detection, in the words of charts (tests/data/detection): a chart without one fact, and that fact.

How a row is read: `one_wording.py`. Expected, parted by blanks: `card:`, `grade:`; `ctd:` a diagnosis, or `-` for none;
`suspected` the disease is no more than that; `lesion:-` no qualifying lesion; `Ca:` and `P:` the status, `Ca:-` none
that can be used; `imaging:` and `biopsy:` the status, or `-` for anything but positive; `done:` a test that is on
record; `asked:` one that is missing; `mimic:` one of the differential.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from cds_service.pipeline import Brain, load_brain
from hooks.model import Assessment, ReportCriterion
from tests.cases.held_charts import DAY
from tests.cases.one_wording import LANGUAGES, Row, assessed, line, patients, rows

_UNUSABLE = ("unknown", "indeterminate")


def _report(found: ReportCriterion, value: str) -> bool:
    return found.status != "positive" if value == "-" else found.status == value


_HOLDS: Mapping[str, Callable[[Assessment, str], bool]] = {
    "card": lambda found, value: found.card == value,
    "grade": lambda found, value: found.grade == value,
    "ctd": lambda found, value: value in (found.criteria.ctd.diagnoses or ("-",)),
    "suspected": lambda found, _: found.criteria.ctd.certainty == "suspected",
    "lesion": lambda found, _: found.criteria.lesion.status != "met",
    "Ca": lambda found, value: found.criteria.calcium.status in (_UNUSABLE if value == "-" else (value,)),
    "P": lambda found, value: found.criteria.phosphate.status == value,
    "imaging": lambda found, value: _report(found.criteria.imaging, value),
    "biopsy": lambda found, value: _report(found.criteria.biopsy, value),
    "done": lambda found, value: any(item.id == value and item.decision == "already-done" for item in found.workup),
    "asked": lambda found, value: value in found.missing,
    "mimic": lambda found, value: any(mimic.id == value for mimic in found.differential),
}


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain(DAY)


def wrong(brain: Brain, row: Row) -> str:
    """What is wrong with the answer; nothing when it is as expected."""
    found = assessed(brain, "detection", row.chart, line(row.kind, row.text))
    words = [word.partition(":") for word in row.expected.split()]
    return " ".join(f"{name}{colon}{value}" for name, colon, value in words if not _HOLDS[name](found, value))


@pytest.mark.parametrize(
    ("patient", "card"),
    [("ctd", "none"), ("lesion", "none"), ("calcium", "incomplete"), ("labs", "detection"), ("full", "detection")],
)
def test_what_each_chart_says_without_a_wording(brain: Brain, patient: str, card: str) -> None:
    assert assessed(brain, "detection", patient).card == card


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("chart", [name for name in patients("detection") if name != "none"])
def test_each_wording_is_read_as_what_it_says(brain: Brain, language: str, chart: str) -> None:
    failed = [
        f"{row.kind}: {row.text}: not {found}"
        for row in rows("detection", language)
        if row.chart == chart and (found := wrong(brain, row))
    ]
    assert failed == []


def test_wordings_are_many_in_each_language_and_some_make_nothing() -> None:
    for language in LANGUAGES:
        assert len(rows("detection", language)) > 100
        assert sum(":-" in row.expected for row in rows("detection", language)) >= 8
