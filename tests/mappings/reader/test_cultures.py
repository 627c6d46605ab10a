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


def results(body: dict[str, Any], *others: dict[str, Any]) -> list[tuple[str, str | None]]:
    resource = {"id": "c", "subject": {"reference": "Patient/p"}, "status": "final"} | body
    raw = RawChart("p", (PATIENT, resource, *others), {need: Completeness("complete") for need in NEEDS})
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


def grown(organism: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "g", "status": "final", "code": {"text": "Organism identified"},
            "valueCodeableConcept": {"text": organism}} | more  # fmt: skip


@pytest.mark.parametrize(
    ("inner", "word"),
    [
        (grown("Staphylococcus aureus"), "positive"),
        (grown("No growth after 48 h"), "negative"),
        (grown("Staphylococcus aureus", status="entered-in-error"), None),
    ],
)
def test_a_culture_says_what_its_results_say_contained_or_referred_to(inner: dict[str, Any], word: str | None) -> None:
    report = {"resourceType": "DiagnosticReport", "code": {"text": "Microbiology: tissue, right elbow"}}
    assert results(report | {"contained": [inner], "result": [{"reference": "#g"}]}) == [(ANALYTE, word)]
    own = inner | {"subject": {"reference": "Patient/p"}}
    assert (ANALYTE, word) in results(report | {"result": [{"reference": "Observation/g"}]}, own)


@pytest.mark.parametrize(
    ("name", "specimen", "word"),
    [
        ("Organism identified", "Wound swab right elbow", "positive"),
        ("Bacteria identified in Specimen by Culture", "Ulcer, left hand", "positive"),
        ("Organism identified", "Urine, midstream", None),
        ("Organism identified", "Blood", None),
        ("Gram stain", "Wound swab", None),
    ],
)
def test_what_grew_is_of_a_wound_when_the_specimen_is(name: str, specimen: str, word: str | None) -> None:
    body = grown("Staphylococcus aureus", id="c", code={"text": name}, specimen={"display": specimen})
    assert results(body) == ([(ANALYTE, word)] if word else [])
