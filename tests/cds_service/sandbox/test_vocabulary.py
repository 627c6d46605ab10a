"""The codes that chart tables bring are those of the reviewed code lists, with the same display."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from cds_service.sandbox.vocabulary import SYSTEMS, terms_for, vocabulary

MAPPINGS = Path(__file__).parents[3] / "mappings"
NAMES = {"SCT": "SNOMED CT", "ICD10CM": "ICD-10-CM", "LOINC": "LOINC", "RXNORM": "RxNorm", "ATC": "ATC"}
# panels, report types and a chest X-ray that no rule asks for, so that no code list holds them
OUTSIDE = {("LOINC", "85354-9"), ("LOINC", "11526-1"), ("LOINC", "82810-3"), ("SNOMED CT", "399208008")}


@pytest.fixture(scope="module")
def reviewed() -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for path in [*(MAPPINGS / "codes").rglob("*.csv"), *(MAPPINGS / "data").glob("*.csv")]:
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
            if row.get("code") and row.get("system"):
                found.setdefault((row["system"], row["code"]), set()).add(row.get("display") or "")
    return found


def test_every_code_is_reviewed_under_the_same_display(reviewed: dict[tuple[str, str], set[str]]) -> None:
    for name, terms in vocabulary().items():
        for term in terms:
            key = (NAMES[term.system], term.code)
            if key not in OUTSIDE:
                assert term.display in reviewed.get(key, set()), (name, key)


def test_units_choose_between_mass_and_moles() -> None:
    assert [t.code for t in terms_for("Calcium", "mmol/L")] == ["2000-8"]
    assert [t.code for t in terms_for("calcium", "mg/dL")] == ["17861-6"]
    assert [t.code for t in terms_for("PTH", "pmol/L")] == ["14866-8"]
    assert terms_for("no such thing") == ()


def test_systems_are_the_fhir_uris() -> None:
    assert {term.system for terms in vocabulary().values() for term in terms} <= SYSTEMS.keys()
