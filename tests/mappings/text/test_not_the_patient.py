"""Animals, articles and relatives in a note: what is theirs, and what is the patient's beside them."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


def told(text: str) -> set[tuple[str, str]]:
    return {(m.kind, m.hardness) for m in ENGINE.read(text).lesions if m.status in ("affirmed", "possible")}


@pytest.mark.parametrize(
    "text",
    [
        "Upset because the dog has a hard lump on its leg.",
        "su perro tiene un bulto duro en la pata",
        "o cão tem um caroço duro na perna",
        "ihr Hund hat einen harten Knoten am Bein",
        "son chien a une masse dure à la patte",
        "She read an article on calcinosis",
        "a lu un article sur la calcinose",
        "ha leído un artículo sobre calcinosis",
        "leu um artigo sobre calcinose",
    ],
)
def test_animals_and_articles_are_not_the_patient(text: str) -> None:
    assert not told(text)


@pytest.mark.parametrize(
    "text",
    [
        "hard lump on the leg where the dog scratched her",
        "hard lump at the site of an old dog bite, R shin",
        "slabs of rock-hard subcutaneous tissue over both thighs",
        "She read about it; there is a hard nodule on the L elbow.",
    ],
)
def test_the_patient_beside_them(text: str) -> None:
    assert any(hardness == "definite" for _, hardness in told(text))


@pytest.mark.parametrize(
    ("text", "lesion"),
    [
        ("SLE, new hard nodule R forearm, hx of calcinosis in sister", "affirmed"),
        ("hard nodule of the shin, lupus in her mother", "affirmed"),
        ("nódulo duro en el codo, lupus en su madre", "affirmed"),
        ("nodule dur du coude, sclérodermie chez sa mère", "affirmed"),
        ("harter Knoten am Ellenbogen, Lupus bei der Mutter", "affirmed"),
        ("hard nodules in her sister", "family"),
        ("hard nodules and calcinosis in the mother", "family"),
        ("hard nodules, fingers, mother", "family"),
    ],
)
def test_what_a_relative_has_in_one_item(text: str, lesion: str) -> None:
    assert ENGINE.read(text).lesions[0].status == lesion
