"""The gate on bytecode instructions: closed in every run of the suite, the same on every machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bytecodes import RECORDED, Counter, here, over
from mappings.dates import PartialDate

ROOT = Path(__file__).parents[2]


def test_no_request_needs_three_percent_more_instructions_than_recorded() -> None:
    """In a process of its own: another tracer, as that of coverage, would end this one."""
    run = subprocess.run([sys.executable, "-m", "benchmarks.bytecodes"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "detection-100" in run.stdout or "skipped" in run.stdout


def test_more_than_three_percent_closes_it() -> None:
    assert over({"silent-10": 1000}, {"silent-10": 1029}) == []
    assert over({"silent-10": 1000}, {"silent-10": 1031}) == ["silent-10: +3.1% bytecode instructions"]


def test_only_our_packages_are_counted() -> None:
    if here() != json.loads(RECORDED.read_text())["python"]:
        pytest.skip("another Python tells its tracer of other instructions, or of none")
    with Counter() as of_others:
        sorted(range(1000), key=str)
        str(Path("a") / "b")
    with Counter() as of_ours:
        PartialDate.parse("2026-06-01")
    assert of_others.instructions == 0 < of_ours.instructions
