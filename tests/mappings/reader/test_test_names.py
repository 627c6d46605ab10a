"""Tests by their names alone, as laboratories and LOINC write them: each is the analyte it is, others are none."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.mappings.reader.sent import observation, read

LISTED = Path(__file__).parents[2] / "data" / "test_names.csv"


def _rows() -> list[tuple[str, str]]:
    lines = [line for line in LISTED.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [(row["analyte"], row["name"]) for row in csv.DictReader(lines)]


@pytest.mark.parametrize(("analyte", "name"), _rows())
def test_a_name_alone_tells_the_test_or_none(analyte: str, name: str) -> None:
    sent = observation({"coding": [{"system": "urn:laboratory", "code": "1", "display": name}]}, value="9", unit="g/L")
    assert {result.analyte for result in read(sent).results} == ({analyte} if analyte else set())
