"""Names under which drugs are sold in seven countries (tests/data/drug_names.csv): each is read as what is in it,
through every way in which a chart names a drug, and the names of other drugs are read as nothing."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from mappings.drugs import load_drugs
from mappings.raw import RawChart
from tests.charts import COMPLETE, reader

ROWS = list(csv.DictReader((Path(__file__).parents[1] / "data" / "drug_names.csv").open(encoding="utf-8")))
NAMES = [(name, frozenset(row["drugs"].split())) for row in ROWS for name in row["names"].split(";")]
GIVEN_UP = {
    "Aida": "a first name",
    "Aquaphor": "an ointment where it is sold most",
    "Cambia": "a word of Spanish and Portuguese",
    "Caltrate": "also sold without vitamin D",
    "Carmen": "a first name",
    "Celebra": "a word of Spanish and Portuguese",
    "FRACTAL": "a word",
    "MINERVA": "a name",
    "Maxim": "a first name",
    "Predsol": "drops and enemas",
    "Rayos": "a word of Spanish",
    "St. Joseph": "a hospital",
    "Valette": "a family name",
    "Versa": "a word of English and Portuguese",
}
"""names that are not listed, each with what else it is."""
DRUGS = load_drugs()
TEXT_ONLY = {"medicationCodeableConcept": {"text": "{name}"}}
LOCAL_CODE = {"medicationCodeableConcept": {"coding": [{"system": "urn:oid:1.2.3", "code": "1", "display": "{name}"}]}}
PHARMACY_CODE = {
    "medicationCodeableConcept": {
        "coding": [{"system": "http://fhir.de/CodeSystem/ifa/pzn", "code": "00000000", "display": "{name} 20 Stück"}]
    }
}
CONTAINED = {
    "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "{name} 10 mg tablets"}}],
    "medicationReference": {"reference": "#m"},
}
BY_DISPLAY = {"medicationReference": {"reference": "Medication/away", "display": "{name}"}}
WAYS = {
    "text": ("MedicationRequest", TEXT_ONLY),
    "a local code": ("MedicationStatement", LOCAL_CODE),
    "a code of pharmacies": ("MedicationRequest", PHARMACY_CODE),
    "contained": ("MedicationStatement", CONTAINED),
    "the display of a reference": ("MedicationRequest", BY_DISPLAY),
}


def named(shape: Any, name: str) -> Any:
    if isinstance(shape, dict):
        return {key: named(value, name) for key, value in shape.items()}
    if isinstance(shape, list):
        return [named(value, name) for value in shape]
    return shape.replace("{name}", name)


@pytest.mark.parametrize("country", dict.fromkeys(row["country"] for row in ROWS))
def test_a_name_is_read_as_what_is_in_it(country: str) -> None:
    wrong = {}
    for row in ROWS:
        wanted = set(row["drugs"].split())
        for name in row["names"].split(";") if row["country"] == country else ():
            found = DRUGS.named(name)
            if name not in GIVEN_UP and (wanted - found.drugs or (not wanted and found)):
                wrong[name] = sorted(found.drugs)
    assert not wrong


def test_a_name_that_is_given_up_is_not_read() -> None:
    known = {name for name, _ in NAMES}
    assert known >= GIVEN_UP.keys()
    wanted = dict(NAMES)
    assert not [name for name in GIVEN_UP if wanted[name] <= DRUGS.named(name).drugs]


@pytest.mark.parametrize("way", WAYS)
def test_a_name_is_read_wherever_a_chart_has_it(way: str) -> None:
    kind, shape = WAYS[way]
    entries = [
        {
            "resourceType": kind,
            "id": f"m{number}",
            "status": "active",
            "intent": "order",
            "subject": {"reference": "Patient/p"},
        }
        | named(shape, name)
        for number, (name, _) in enumerate(NAMES)
    ]
    facts = reader().read(RawChart("p", tuple(entries), COMPLETE))
    found = {med.ref: med.drugs for med in facts.medications}
    lost = [
        name
        for number, (name, wanted) in enumerate(NAMES)
        if name not in GIVEN_UP and wanted - found.get(f"{kind}/m{number}", frozenset())
    ]
    assert lost == []
