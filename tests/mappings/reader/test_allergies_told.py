"""Allergies that a note tells of, and sentences that only look like one; blood pressures of a note."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from mappings.facts import NEEDS, Completeness, PatientFacts
from mappings.raw import RawChart
from tests.spec.harness import reader

READER = reader()


def facts(words: str) -> PatientFacts:
    data = base64.b64encode(words.encode()).decode()
    note: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "id": "n",
        "status": "current",
        "subject": {"reference": "Patient/p"},
        "date": "2026-05-29T09:30:00Z",
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
    }
    return READER.read(RawChart("p", (note,), {need: Completeness("complete") for need in NEEDS}))


@pytest.mark.parametrize(
    ("words", "drugs"),
    [
        ("Allergies: diltiazem (rash), penicillin G.", {"diltiazem", "benzylpenicillin"}),
        ("Seen today. Allergies:\n- diltiazem\n- minocycline\nMedications:\ncolchicine", {"diltiazem", "minocycline"}),
        ("Heute gesehen. Allergien:\nDiltiazem\n\nMedikation:\nColchicin", {"diltiazem"}),
        ("Vista hoy. Alergias:\n- diltiazem", {"diltiazem"}),
        ("Vu ce jour. Allergies :\n- diltiazem", {"diltiazem"}),
        ("Visto hoje. Alergias:\n- diltiazem", {"diltiazem"}),
        ("Seen today. No other allergies\nDiltiazem 120 mg daily", set()),
        ("No known allergies\nDiltiazem 120 mg daily", set()),
        ("Keine Allergien\nDiltiazem 120 mg", set()),
        ("She is allergic to diltiazem. Takes ramipril.", {"diltiazem"}),
        ("Known diltiazem allergy.", {"diltiazem"}),
        ("ALLERGIES/INTOLER-\nANCES:\nDiltia-\nzem - rash", {"diltiazem"}),
        ("Aller-\ngien: Diltia-\nzem (Exanthem)", {"diltiazem"}),
        ("She is aller-\ngic to mino-\ncycline. Takes ramipril.", {"minocycline"}),
        ("Allergie gegen Minocyclin bekannt.", {"minocycline"}),
        ("Alergia a diltiazem. Toma losartán.", {"diltiazem"}),
        ("Intolérance à la colchicine.", {"colchicine"}),
        ("Hypersensitivity to alendronate in 2015", {"alendronate"}),
        ("Severe reaction to rituximab in 2024.", {"rituximab"}),
        ("Infusion reaction: rituximab", {"rituximab"}),
        ("Reacción a minociclina.", {"minocycline"}),
        ("Réaction sévère au rituximab.", {"rituximab"}),
        ("Schwere Reaktion auf Rituximab.", {"rituximab"}),
        ("No reaction to rituximab.", set()),
        ("Foreign body reaction. On diltiazem.", set()),
        ("No allergies. On diltiazem.", set()),
        ("No known allergy to diltiazem.", set()),
        ("Husband is allergic to diltiazem.", set()),
        ("Allergic rhinitis, on diltiazem 120 mg.", set()),
        ("Allergies: none known, currently diltiazem.", set()),
        ("Allergic to nuts but takes diltiazem.", set()),
        ("Keine Allergie gegen Diltiazem.", set()),
        ("Diltiazem was started for calcinosis.", set()),
        ("Diltiazem caused severe oedema and was stopped in 2022.", {"diltiazem"}),
        ("Diltiazem stopped because of ankle oedema.", {"diltiazem"}),
        ("Diltiazem retirado en 2020 por edemas y bradicardia.", {"diltiazem"}),
        ("O diltiazem causou bradicardia e foi suspenso.", {"diltiazem"}),
        ("Diltiazem arrêté devant des œdèmes.", {"diltiazem"}),
        ("Diltiazem wegen Bradykardie abgesetzt.", {"diltiazem"}),
        ("Bronchospasme au diltiazem en 2019.", {"diltiazem"}),
        ("Bronchospasm with colchicine.", {"colchicine"}),
        ("Bronchospasm last winter. On diltiazem.", set()),
        ("Nifedipine stopped due to headache, diltiazem started.", {"nifedipine"}),
        ("Diltiazem 270 mg caused headache, reduced to 180 mg.", set()),
        ("Diltiazem discussed; risk of oedema and bradycardia explained.", set()),
        ("No rash; diltiazem caused no oedema.", set()),
    ],
)
def test_an_allergy_in_a_note(words: str, drugs: set[str]) -> None:
    assert {drug for allergy in facts(words).allergies for drug in allergy.drugs} == drugs


@pytest.mark.parametrize(
    ("words", "systolic"),
    [
        ("BP 82/50, pulse 44.", [82]),
        ("RR 84/52 mmHg, Puls 60/min.", [84]),
        ("TA 86/50, FC 48.", [86]),
        ("RR 16, SpO2 98 %.", []),
        ("BP 2/5/2026 reviewed.", []),
        ("BP well controlled.", []),
    ],
)
def test_a_blood_pressure_in_a_note(words: str, systolic: list[int]) -> None:
    found = [r.low for r in facts(words).results if r.analyte == "systolic"]
    assert found == systolic
