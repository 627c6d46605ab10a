"""Every case of every behaviour file."""

from __future__ import annotations

import os

import pytest

from tests.spec import document, harness

CASES = [
    pytest.param(spec.get("given", ""), case, id=f"{path.parent.name}/{path.stem}: {case['name']}")
    for path in harness.files()
    for spec in [harness.load(path)]
    for case in spec["cases"]
]


@pytest.mark.parametrize(("given", "case"), CASES)
def test_behaviour(given: str, case: dict) -> None:
    assert harness.differences(case["expect"], harness.run(given, case)) == []


def test_every_file_names_its_rule() -> None:
    for path in harness.files():
        spec = harness.load(path)
        assert spec["title"], path
        assert spec["rule"], path


def test_the_page_says_what_the_tests_say() -> None:
    if os.environ.get("CDS_WRITE_DOCS"):
        document.PAGE.write_text(document.page(), encoding="utf-8")
    assert document.PAGE.read_text(encoding="utf-8") == document.page(), "CDS_WRITE_DOCS=1 writes it"
