"""What names a stone or calcium and cannot be placed is reported, in every language, and reaches the facts."""

from __future__ import annotations

import base64

import pytest

from mappings.facts import NEEDS, Completeness
from mappings.raw import RawChart
from mappings.text.engine import TextEngine
from tests.spec.harness import reader

ENGINE = TextEngine.load()
UNPLACED = [
    "Calcified thing at the left arm.",
    "Something stony under the right forearm.",
    "Hay algo calcificado en el brazo izquierdo.",
    "Algo duro como piedra en el codo.",
    "Algo duro no antebraço direito.",
    "Coisa calcificada no braço esquerdo.",
    "Quelque chose de dur à l'avant-bras droit.",
    "Chose calcifiée au bras gauche.",
    "Etwas Hartes am rechten Unterarm.",
    "Verkalktes Ding am linken Arm.",
]
PLACED = [
    "Hard nodule on the left arm.",
    "Nothing calcified at the arm.",
    "Hard stools. Abdomen soft.",
    "Aortic valve calcified. Calcified lymph nodes.",
    "Heces duras. Abdomen blando.",
    "Fezes duras. Abdome mole.",
    "Selles dures. Ventre souple.",
    "Harter Stuhl. Bauch weich.",
    "Finds it hard to lift her left arm.",
]


@pytest.mark.parametrize("text", UNPLACED)
def test_what_cannot_be_placed_is_said_to_be_so(text: str) -> None:
    reading = ENGINE.read(text)
    assert not reading.lesions
    assert not reading.understood


@pytest.mark.parametrize("text", PLACED)
def test_what_is_placed_or_another_matter_is_not(text: str) -> None:
    assert ENGINE.read(text).understood


@pytest.mark.parametrize("text", UNPLACED)
def test_it_reaches_the_facts(text: str) -> None:
    data = base64.b64encode(text.encode()).decode()
    document = {
        "resourceType": "DocumentReference",
        "id": "note",
        "status": "current",
        "subject": {"reference": "Patient/p"},
        "date": "2026-01-05T10:00:00Z",
        "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}}],
    }
    facts = reader().read(RawChart("p", (document,), {need: Completeness("complete") for need in NEEDS}))
    assert facts.not_understood == ("DocumentReference/note",)
