"""The registry of guards: it fits the code as it is, and taking a few guards out is noticed. All: `make guards`."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.security.guards import ROOT, Guard, edited, load

PAGE = ROOT / "docs" / "hospital" / "guards.md"
GUARDS = load()
SMOKE = ("host",)


def page(guards: list[Guard]) -> str:
    lines = [
        "# Guards",
        "",
        "Written from `tests/security/guards.yaml`. `make guards` takes each guard out in turn, in a copy of the code,",
        "and runs the tests that must then fail; it fails if one of them stays green, or if something that must go on",
        "working stops. The threats are those of [threats](threats.md).",
        "",
        f"{len(guards)} guards, {len({test for guard in guards for test in guard.red})} tests.",
        "",
        "| Guard | Rule | What it does | Threat | In | Tests that fail without it |",
        "|---|---|---|---|---|---|",
    ]
    for guard in guards:
        where = ", ".join(dict.fromkeys(f"`{edit.file}`" for edit in guard.out))
        functions = dict.fromkeys(test.rsplit("/", 1)[-1].partition("[")[0] for test in guard.red)
        count = f"{len(guard.red)}: " if len(guard.red) > 1 else ""
        tests = count + ", ".join(f"`{name}`" for name in functions)
        lines.append(f"| {guard.id} | {guard.rule} | {guard.what} | {guard.threat} | {where} | {tests} |")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.id)
def test_a_guard_can_be_taken_out_and_its_tests_exist(guard: Guard) -> None:
    for edit in guard.out:
        assert edited(edit, (ROOT / edit.file).read_text(encoding="utf-8"))
    for test in guard.red:
        path, _, function = test.partition("[")[0].partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, test


def test_every_guard_stands_before_a_threat() -> None:
    threats = yaml.safe_load((ROOT / "docs/hospital/threats.yaml").read_text(encoding="utf-8"))["threats"]
    assert {guard.threat for guard in GUARDS} <= {threat["id"] for threat in threats}


def test_the_page_of_the_guards_is_the_registry() -> None:
    wanted = page(GUARDS)
    if os.environ.get("CDS_WRITE_DOCS"):
        PAGE.write_text(wanted, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == wanted, (
        f"CDS_WRITE_DOCS=1 pytest {Path(__file__).relative_to(ROOT)} writes it"
    )


def test_taking_a_few_out_is_noticed() -> None:
    command = [sys.executable, "-m", "tests.security.guards", "--only", ",".join(SMOKE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(SMOKE)} guards, {len(SMOKE)} taken out and noticed" in done.stdout
