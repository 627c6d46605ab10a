"""Lumps that are no stone, stones under other names, and numbers with their range as laboratories print them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


def hardness(text: str) -> list[str]:
    return [m.hardness for m in ENGINE.read(text).lesions if m.status == "affirmed"]


@pytest.mark.parametrize(
    "text",
    [
        "Port-a-cath palpable as hard lump under the right clavicle.",
        "Hard lump of the left chest: pacemaker.",
        "Hard node, left axilla, 2 cm.",
        "Bulto duro en axila derecha: ganglio.",
        "Harter Knoten am Hals: Lymphknoten.",
        "Durezas en las plantas de los pies.",
        "Educated re calcinosis: hard bumps under the skin, call if noted.",
        "Excision of calcinosis L thumb 2014, no recurrence.",
    ],
)
def test_no_lesion(text: str) -> None:
    assert hardness(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Hard lump on the wrist, transilluminates.",
        "Bulto duro en dorso de la muñeca, transilumina.",
        "Prall-elastische, fluktuierende Schwellung über dem Olekranon.",
        "Nódulo endurecido e flutuante do cotovelo.",
        "Nodule dur et pulsatile de l'avant-bras.",
    ],
)
def test_what_is_fluid_is_no_stone(text: str) -> None:
    assert hardness(text) == ["against"]


@pytest.mark.parametrize(
    "text",
    [
        "Fluctuant hard nodule of the elbow with chalky discharge.",
        "Hard nodule of the elbow, fluctuant, with pus.",
        "Calcified fluctuant nodule of the elbow.",
        "Hard node at the elbow.",
        "Subcutaneous stones of the forearm.",
        "Durezas en los dedos.",
        "Bone-hard plate, lateral thigh.",
    ],
)
def test_a_stone_stays_one(text: str) -> None:
    assert hardness(text) == ["definite"]


@pytest.mark.parametrize(
    ("text", "value", "unit", "limits"),
    [
        ("Calcium 9.5 mg/dL 8.6-10.2", "9.5", "mg/dL", "8.6-10.2"),
        ("Calcium 9.5 mg/dL 5-20", "9.5", "mg/dL", None),
        ("Ca 9.3 (8.6-10.2 mg/dL)", "9.3", "mg/dL", "(8.6-10.2 mg/dL)"),
        ("Ca 9.3 (8.6-10.2)", "9.3", None, "(8.6-10.2)"),
    ],
)
def test_range_and_unit_as_printed(text: str, value: str, unit: str | None, limits: str | None) -> None:
    (lab,) = ENGINE.read(text).labs
    assert (lab.value, lab.unit, lab.limits) == (Decimal(value), unit, limits)


@pytest.mark.parametrize(
    ("text", "concept", "there"),
    [
        ("Severely impaired LV systolic function.", "trigger.heart_failure_systolic", True),
        ("Mildly impaired LV systolic function.", "trigger.heart_failure_systolic", False),
        ("BAV completo", "trigger.av_block_high_grade", True),
    ],
)
def test_safety_in_words(text: str, concept: str, there: bool) -> None:
    assert any(m.concept == concept and m.status == "affirmed" for m in ENGINE.read(text).concepts) == there
