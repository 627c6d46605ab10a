"""`docs/cases.md` shows the expectations that the tests check, not a copy that ages."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from cds_service.sandbox.cases import published_cases

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cases.md"
EXPECTED = yaml.safe_load(Path(__file__).with_name("expected.yaml").read_text(encoding="utf-8"))
START, END = "<!-- table: written by tests/cases/test_documentation.py -->\n", "<!-- /table -->"


def table() -> str:
    lines = ["| Case | Stage | Grade | Card | New | Extent |", "|---|---|---|---|---|---|"]
    for stage in published_cases():
        wanted = EXPECTED[stage.case]["case"] | EXPECTED[stage.case][stage.stage]
        cells = (stage.case, stage.stage, *(wanted[key] for key in ("grade", "card", "newness", "extent")))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def test_table_of_the_page_is_the_expectation() -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    wanted = before + START + table() + END + after
    if os.environ.get("CDS_WRITE_DOCS"):
        PAGE.write_text(wanted, encoding="utf-8")
    assert text == wanted or os.environ.get("CDS_WRITE_DOCS"), "CDS_WRITE_DOCS=1 pytest tests/cases writes the table"
