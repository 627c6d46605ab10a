"""The hazard log: each control of each hazard is proven by tests that exist, and the page says what the data say."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.spec import document, harness

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "hazards.md"
HAZARDS: list[dict[str, Any]] = yaml.safe_load((ROOT / "docs" / "hazards.yaml").read_text(encoding="utf-8"))["hazards"]
SEVERITY = ("minor", "significant", "considerable", "major", "catastrophic")
LIKELIHOOD = ("very low", "low", "medium", "high", "very high")
KINDS = ("design", "test", "information")
OWNERS = ("knowledge", "software", "operations", "clinical use")
KEYS = {"id", "hazard", "cause", "sequence", "harm", "severity", "likelihood", "controls", "residual", "owner"}
MUST_BE_NAMED = (
    "another patient", "stale", "unit", "critical calcium", "erroneous", "malignancy", "tumoral", "contraindicated",
    "bisphosphonate", "warfarin", "pregnancy", "fatigue", "silence", "outage", "leak", "outdated knowledge",
    "certainty", "duplicate", "automation", "calciphylaxis", "albumin", "child", "colchicine",
)  # fmt: skip
by_hazard = pytest.mark.parametrize("hazard", HAZARDS, ids=lambda hazard: hazard["id"])
TESTS = sorted({test for hazard in HAZARDS for control in hazard["controls"] for test in control["tests"]})


def risk(severity: str, likelihood: str) -> str:
    product = (SEVERITY.index(severity) + 1) * (LIKELIHOOD.index(likelihood) + 1)
    return "low" if product <= 5 else "medium" if product <= 9 else "high"


@by_hazard
def test_every_entry_is_whole(hazard: dict[str, Any]) -> None:
    assert set(hazard) == KEYS
    assert hazard["severity"] in SEVERITY
    assert set(hazard["likelihood"]) == {"before", "after"}
    before, after = (LIKELIHOOD.index(hazard["likelihood"][when]) for when in ("before", "after"))
    assert hazard["owner"] in OWNERS
    assert hazard["controls"]
    for control in hazard["controls"]:
        assert set(control) == {"control", "kind", "tests"}
        assert control["kind"] in KINDS
        assert control["tests"], f"{hazard['id']}: nothing proves {control['control']!r}"
        assert len(control["tests"]) == len(set(control["tests"]))
    assert after <= before
    if after < before:
        assert any(control["kind"] != "information" for control in hazard["controls"])
    for field in ("hazard", "cause", "sequence", "harm", "residual"):
        assert len(hazard[field]) > 5, field


@by_hazard
def test_no_residual_risk_is_high(hazard: dict[str, Any]) -> None:
    assert risk(hazard["severity"], hazard["likelihood"]["after"]) != "high"


def test_ids_are_unique_and_every_hazard_that_must_be_considered_is() -> None:
    assert len({hazard["id"] for hazard in HAZARDS}) == len(HAZARDS)
    said = " ".join(f"{hazard['hazard']} {hazard['cause']}" for hazard in HAZARDS).lower()
    assert [name for name in MUST_BE_NAMED if name not in said] == []


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def charts() -> frozenset[str]:
    return frozenset(document.title(path, case) for path in harness.files() for case in harness.load(path)["cases"])


@pytest.mark.parametrize("test", TESTS)
def test_every_named_test_exists(test: str) -> None:
    path, _, name = test.partition("::")
    assert (ROOT / path).is_file()
    function, _, case = name.partition("[")
    assert function in functions(path)
    assert function.startswith("test_")
    if case:
        assert path == "tests/spec/test_spec.py", "only behaviour charts are named one by one"
        assert case.removesuffix("]") in charts()


@pytest.mark.long
def test_pytest_collects_every_named_test() -> None:
    """The whole way: pytest itself finds each of them (charts of one function count as that function)."""
    done = subprocess.run(
        # the options of pyproject.toml left out: another -q there would print counts instead of names
        [
            sys.executable,
            "-m",
            "pytest",
            "-o",
            "addopts=",
            "--import-mode=importlib",
            "--collect-only",
            "-q",
            *sorted({test.partition("[")[0] for test in TESTS}),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    collected = set(done.stdout.splitlines())
    missing = [test for test in TESTS if not any(line == test or line.startswith(f"{test}[") for line in collected)]
    assert missing == []


def document_page() -> str:
    lines = [
        "# Hazard log",
        "",
        "For clinical safety officers and reviewers. Written from `hazards.yaml`; every control names the tests that",
        "prove it, which exist (checked) and run in `make test`, so that a control whose test fails stops the build.",
        "The scales stand at the head of the data file. A site adds the hazards of its own deployment and workflow.",
        "",
        "| Id | Hazard | Severity | Likelihood before → after | Risk before → after | Owner |",
        "|---|---|---|---|---|---|",
    ]
    for entry in HAZARDS:
        before, after = entry["likelihood"]["before"], entry["likelihood"]["after"]
        risks = f"{risk(entry['severity'], before)} → {risk(entry['severity'], after)}"
        lines.append(
            f"| [{entry['id']}](#{entry['id'].lower()}) | {entry['hazard']} | {entry['severity']} "
            f"| {before} → {after} | {risks} | {entry['owner']} |"
        )
    for entry in HAZARDS:
        lines += [
            "",
            f"## {entry['id']}",
            "",
            f"**{entry['hazard']}.** Cause: {entry['cause']}. Sequence: {entry['sequence']}. Harm: {entry['harm']}.",
            "",
        ]
        for control in entry["controls"]:
            tests = "; ".join(f"`{test.removeprefix('tests/')}`" for test in control["tests"])
            lines.append(f"- {control['control']} ({control['kind']}). Proven by {tests}")
        lines += ["", f"Remaining: {entry['residual']}"]
    return "\n".join(lines) + "\n"


def test_the_page_is_written_from_the_data() -> None:
    if os.environ.get("CDS_WRITE_DOCS"):
        PAGE.write_text(document_page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == document_page(), "CDS_WRITE_DOCS=1 writes it"
