"""Every case of every behaviour file: what must come out, and every word of the assessment read aloud."""

from __future__ import annotations

import os
from typing import Any

import pytest

from hooks.knowledge import load_knowledge
from hooks.read_aloud import read_aloud
from tests.spec import document, harness

CASES = [
    pytest.param(spec.get("given", ""), case, document.title(path, case), id=document.title(path, case))
    for path in harness.files()
    for spec in [harness.load(path)]
    for case in spec["cases"]
]


@pytest.fixture(scope="session")
def aloud() -> dict[str, list[str]]:
    if os.environ.get("CDS_WRITE_DOCS"):
        document.ALOUD.write_text(document.aloud_page(), encoding="utf-8")
    return document.read_aloud_page()


@pytest.mark.parametrize(("given", "case", "title"), CASES)
def test_behaviour(given: str, case: dict[str, Any], title: str, aloud: dict[str, list[str]]) -> None:
    assessment = harness.assessed(given, case)
    assert harness.differences_of(assessment, case["expect"]) == []
    said = list(read_aloud(assessment, load_knowledge().messages))
    assert said == aloud.get(title), "CDS_WRITE_DOCS=1 writes docs/read-aloud.md; read the difference first"


def test_every_file_names_its_rule() -> None:
    for path in harness.files():
        spec = harness.load(path)
        assert spec["title"], path
        assert spec["rule"], path


def test_case_names_are_unique() -> None:
    titles = [document.title(path, case) for path in harness.files() for case in harness.load(path)["cases"]]
    assert len(titles) == len(set(titles))


def test_the_page_says_what_the_tests_say(aloud: dict[str, list[str]]) -> None:
    if os.environ.get("CDS_WRITE_DOCS"):
        document.PAGE.write_text(document.page(), encoding="utf-8")
    assert document.PAGE.read_text(encoding="utf-8") == document.page(), "CDS_WRITE_DOCS=1 writes it"
    assert len(aloud) == len(CASES)
