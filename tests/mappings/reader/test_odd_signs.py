"""Characters that nobody sees, or that look like ordinary ones, in names, units and codes: what is copied out of a PDF
or a word processor holds them, and a drug that was not recognised holds nothing back."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.facts import NEEDS, Completeness, PatientFacts
from mappings.raw import RawChart
from tests.spec.harness import reader

READER = reader()
SUBJECT = {"reference": "Patient/p"}
INVISIBLE = ("\u00ad", "\u200b", "\u200d", "\u2060", "\u2062", "\u061c", "\u202c", "\u2069", "\ufeff")


def facts(resource: dict[str, Any]) -> PatientFacts:
    whole = {"id": "x", "status": "active", "subject": SUBJECT, "patient": SUBJECT} | resource
    return READER.read(RawChart("p", (whole,), {need: Completeness("complete") for need in NEEDS}))


def parted(name: str, sign: str) -> str:
    return f"{name[:4]}{sign}{name[4:]}"


def wide(name: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) for char in name)


WRITTEN = [*(parted("metoprolol", sign) for sign in INVISIBLE), wide("metoprolol"), "\u202ametoprolol\u202c"]


@pytest.mark.parametrize("name", WRITTEN, ids=ascii)
def test_a_drug_is_recognised(name: str) -> None:
    (taken,) = facts(
        {
            "resourceType": "MedicationRequest",
            "intent": "order",
            "medicationCodeableConcept": {"text": f"{name} 50 mg"},
        }
    ).medications
    assert taken.drugs == {"metoprolol"}
    assert taken.label.isprintable()


@pytest.mark.parametrize("name", WRITTEN, ids=ascii)
def test_an_allergy_is_recognised(name: str) -> None:
    (allergy,) = facts({"resourceType": "AllergyIntolerance", "code": {"text": name}}).allergies
    assert allergy.drugs == {"metoprolol"}


@pytest.mark.parametrize("sign", INVISIBLE, ids=ascii)
def test_a_test_and_its_unit_are_recognised(sign: str) -> None:
    (found,) = facts(
        {
            "resourceType": "Observation",
            "status": "final",
            "effectiveDateTime": "2026-05-20",
            "code": {"text": parted("calcium", sign)},
            "valueQuantity": {"value": 2.31, "unit": parted("mmol/L", sign)},
        }
    ).results
    assert (found.analyte, found.unit) == ("calcium-total", "mmol/L")


@pytest.mark.parametrize("sign", INVISIBLE, ids=ascii)
def test_a_code_and_its_system_are_recognised(sign: str) -> None:
    coding = {"system": f"http://hl7.org/fhir/sid/icd-10-cm{sign}", "code": f"{sign}M32.9{sign}"}
    (found,) = facts({"resourceType": "Condition", "code": {"coding": [coding]}}).findings
    assert found.concepts == {"ctd.sle"}


def test_a_dose_is_counted() -> None:
    (taken,) = facts(
        {
            "resourceType": "MedicationRequest",
            "intent": "order",
            "medicationCodeableConcept": {"text": "simvastatin"},
            "dosageInstruction": [
                {
                    "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                    "doseAndRate": [{"doseQuantity": {"value": 40, "unit": "\u200bmg\u00a0"}}],
                }
            ],
        }
    ).medications
    assert (taken.daily_dose, taken.dose_unit) == (40, "mg")
