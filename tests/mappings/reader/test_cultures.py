"""Cultures of wounds: known by method and material, positive by the organism they name."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.facts import NEEDS, Completeness
from mappings.raw import RawChart
from mappings.reader.culture import ANALYTE, culture_word, is_wound_culture
from tests.spec.harness import reader

PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1970-01-01"}


@pytest.mark.parametrize(
    "name",
    [
        "Wound culture, left elbow",
        "CULTURE, WOUND (AEROBIC)",
        "Drainage culture",
        "Cultivo de exudado de úlcera",
        "Cultura de secreção da ferida",
        "Prélèvement bactériologique de plaie",
        "Wundabstrich Ellenbogen rechts",
    ],
)
def test_a_culture_of_a_wound_is_known_by_its_name(name: str) -> None:
    assert is_wound_culture([name])


@pytest.mark.parametrize(
    "name", ["Urine culture", "Blood culture", "MRSA nasal swab", "Skin biopsy", "Hemocultivo", "Culture of the family"]
)
def test_other_cultures_are_none_of_a_wound(name: str) -> None:
    assert not is_wound_culture([name])


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("Staphylococcus aureus, positivo", "positive"),
        ("Moderate growth of Pseudomonas aeruginosa", "positive"),
        ("Staph aureus isolated. No MRSA.", "positive"),
        ("Nachweis von Streptococcus pyogenes", "positive"),
        ("No growth after 48 h", "negative"),
        ("Kein Keimwachstum", "negative"),
        ("Normal skin flora", "negative"),
        ("MRSA not detected", "negative"),
        ("Sin crecimiento", "negative"),
        ("to follow", None),
    ],
)
def test_growth_is_read_from_the_organism(said: str, word: str | None) -> None:
    assert culture_word(said) == word


def results(body: dict[str, Any]) -> list[tuple[str, str | None]]:
    resource = {"id": "c", "subject": {"reference": "Patient/p"}, "status": "final"} | body
    raw = RawChart("p", (PATIENT, resource), {need: Completeness("complete") for need in NEEDS})
    return [(r.analyte, r.word) for r in reader().read(raw).results]


def test_cultures_of_observations_and_reports() -> None:
    coded = {"coding": [{"system": "http://loinc.org", "code": "6462-6"}]}
    organism = {"coding": [{"system": "http://snomed.info/sct", "code": "3092008", "display": "Staphylococcus aureus"}]}
    assert results({"resourceType": "Observation", "code": coded, "valueCodeableConcept": organism}) == [
        (ANALYTE, "positive")
    ]
    report = {"resourceType": "DiagnosticReport", "code": {"text": "Wound culture"}, "effectiveDateTime": "2026-05-01"}
    assert results(report | {"conclusion": "Heavy growth of Staphylococcus aureus."}) == [(ANALYTE, "positive")]
    assert results(report | {"conclusion": "No growth."}) == [(ANALYTE, "negative")]
    assert results(report) == [(ANALYTE, None)]
