"""What two pages say in numbers is what the tests check, not a copy that ages: the expectations in `docs/cases.md`, the
counts of charts and the totals in `docs/held-cases.md`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from cds_service.sandbox.cases import published_cases
from tests.cases.held_charts import held_charts
from tests.generated import check_part

DOCS = Path(__file__).parents[2] / "docs"
CASES, HELD = DOCS / "cases.md", DOCS / "held-cases.md"
EXPECTED = yaml.safe_load(Path(__file__).with_name("expected.yaml").read_text(encoding="utf-8"))
BY = "tests/cases/test_documentation.py"
LANGUAGES = {"en": "English", "es": "Spanish", "pt": "Portuguese", "de": "German", "fr": "French"}
SETS = re.compile(r"^\| `(?P<set>\w+)\.yaml` \| (?P<charts>\d+) \|", re.M)
FIRST_RUNS = re.compile(r"^\| \w[^|]*, first run((?: \| \d+)+) \|$", re.M)


def table() -> str:
    lines = ["| Case | Stage | Grade | Card | New | Extent |", "|---|---|---|---|---|---|"]
    for stage in published_cases():
        wanted = EXPECTED[stage.case]["case"] | EXPECTED[stage.case][stage.stage]
        cells = (stage.case, stage.stage, *(wanted[key] for key in ("grade", "card", "newness", "extent")))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def counts() -> str:
    found = Counter(chart.language for chart in held_charts())
    told = ", ".join(f"{name} {found[language]}" for language, name in LANGUAGES.items())
    return f"{found.total()} charts: {told}.\n"


def totals() -> str:
    rows = [
        [int(cell) for cell in row.split("|") if cell.strip()] for row in FIRST_RUNS.findall(HELD.read_text("utf-8"))
    ]
    charts, right, _, near, flags, _, every = map(sum, zip(*rows, strict=True))
    told = (
        f"{number} {what} ({100 * number / charts:.0f} %)"
        for number, what in ((right, "right cards"), (near, "grades within one step"), (every, "all right"))
    )
    return f"**Of {charts} charts: {', '.join(told)}; a red flag missed in {flags}.**\n"


@pytest.mark.parametrize(
    ("page", "part", "write"), [(CASES, "table", table), (HELD, "counts", counts), (HELD, "totals", totals)]
)
def test_page_says_what_the_tests_check(page: Path, part: str, write: Callable[[], str]) -> None:
    check_part(page, part, BY, write())


def test_every_held_set_stands_in_the_table_of_sets() -> None:
    found = Counter(chart.group for chart in held_charts())
    text = HELD.read_text(encoding="utf-8")
    assert {row["set"]: int(row["charts"]) for row in SETS.finditer(text)} == found
    assert f"| All sets, now | {found.total()} |" in text
