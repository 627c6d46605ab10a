"""States that hold a drug back, in the names that problem lists give them."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("Hepatic encephalopathy", "trigger.severe_liver_disease"),
        ("hepatische Enzephalopathie", "trigger.severe_liver_disease"),
        ("Encefalopatía hepática", "trigger.severe_liver_disease"),
        ("Encefalopatia hepática", "trigger.severe_liver_disease"),
        ("Encéphalopathie hépatique", "trigger.severe_liver_disease"),
        ("Myelodysplastic syndrome", "trigger.blood_dyscrasia_cytopenia"),
        ("Myelodysplastisches Syndrom", "trigger.blood_dyscrasia_cytopenia"),
        ("Síndrome mielodisplásico", "trigger.blood_dyscrasia_cytopenia"),
        ("Syndrome myélodysplasique", "trigger.blood_dyscrasia_cytopenia"),
        ("Favism", "trigger.g6pd_deficiency"),
        ("Favismus", "trigger.g6pd_deficiency"),
        ("Favismo", "trigger.g6pd_deficiency"),
        ("Favisme", "trigger.g6pd_deficiency"),
        ("Lown-Ganong-Levine syndrome", "trigger.pre_excitation"),
        ("Short PR syndrome", "trigger.pre_excitation"),
        ("Síndrome de PR corto", "trigger.pre_excitation"),
    ],
)
def test_a_state_by_its_name(text: str, concept: str) -> None:
    found = {m.concept: m.status for m in ENGINE.read(text, kind="condition").concepts}
    assert found[concept] == "affirmed"
