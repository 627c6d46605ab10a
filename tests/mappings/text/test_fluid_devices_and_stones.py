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
        "Surgical clips palpable as hard bumps in the left axilla.",
        "Ring finger: hard nodule, trigger finger.",
        "Hard lump of the thigh, lipohypertrophy.",
        "Hard lump of the epigastrium: prominent xiphoid process.",
        "Firm nodule of the right shin, dimples on pinching: dermatofibroma.",
        "Torus mandibularis: hard bony lump inside the lower jaw.",
        "Hard area of sclerodermatous skin over the forearms.",
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
        "Hard nodule, greater trochanter.",
        "Hard nodule of the knee, chalky; seborrheic keratosis on the back.",
        "Kieselsteinharte Knötchen an beiden Unterarmen.",
        "Múltiplas formações endurecidas nas coxas.",
        "Rock hard protuberance over the ischial tuberosity.",
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
    ("text", "words"),
    [
        ("Ca 2.35 (normal), PO4 1.05 (normal).", ["normal", "normal"]),
        ("Ca 2.35, PO4 1.05, K 4.1 (all normal).", ["normal", "normal"]),
        ("Calcium 2,35, Phosphat 1,05 (alle normal).", ["normal", "normal"]),
        ("Calcium 2.9 (high).", ["high"]),
        ("Ca 2.35 - not normal.", [None]),
        ("Ca 2.35, phosphate normal.", [None, "normal"]),
        ("Ca 9.4 mg/dL normal.", [None]),
        ("eGFR 24 (low).", [None]),
    ],
)
def test_a_number_without_a_unit_is_what_the_laboratory_calls_it(text: str, words: list[str | None]) -> None:
    assert [lab.word for lab in ENGINE.read(text).labs] == words


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Calcinosis of the thumb known since 2011.", "2011"),
        ("Calcinosis der Finger, seit 2014 bekannt.", "2014"),
        ("Calcinose des doigts connue depuis 2010.", "2010"),
        ("Calcinosis en dedos estable desde 2016.", "2016"),
        ("Hard nodule of the thumb since 2011.", None),
    ],
)
def test_what_is_known_since_a_year_was_recorded_then(text: str, seen: str | None) -> None:
    assert [m.seen for m in ENGINE.read(text).lesions] == [seen]


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
