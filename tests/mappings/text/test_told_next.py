"""What a sentence says of the thing or the place that the sentence before it named, and what only looks so."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine
from mappings.text.reading import TextReading


@pytest.fixture(scope="module")
def engine() -> TextEngine:
    return TextEngine.load()


def read(engine: TextEngine, text: str) -> TextReading:
    return engine.read(text, kind="note", language="en")


@pytest.mark.parametrize(
    ("text", "at_site"),
    [
        ("Calcium gluconate was infused into the left forearm and extravasated. Hard plaque at that place.", True),
        ("Calcium chloride was given IV in the right hand. Two weeks later a stony nodule formed.", True),
        ("Calcium gluconate was infused into the left forearm. Hard plaque of the right thigh.", False),
        ("Calcium gluconate was infused into the left forearm. She feels well. Hard plaque, site not told.", False),
        ("Calcium gluconate was infused into the left forearm in 2015. Hard plaque noted.", False),
    ],
)
def test_a_lesion_told_next_without_a_place_lies_where_calcium_was_infused(
    engine: TextEngine, text: str, at_site: bool
) -> None:
    assert [lesion.infusion_at_site for lesion in read(engine, text).lesions] == [at_site]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Se infundió gluconato cálcico en el antebrazo izquierdo. Placa dura en ese lugar desde mayo."),
        ("es", "Se administró cloruro cálcico en la mano derecha. Placa dura en ese lugar."),
        ("pt", "Foi administrado gluconato de cálcio no antebraço esquerdo. Placa dura nesse local."),
        ("fr", "Gluconate de calcium administré à l'avant-bras gauche. Plaque dure à cet endroit."),
        ("de", "Calciumgluconat wurde in den linken Unterarm gegeben. Dort seit Mai eine harte Plaque."),
    ],
)
def test_an_infusion_told_by_its_verb_is_one_in_every_language(engine: TextEngine, language: str, text: str) -> None:
    found = engine.read(text, kind="note", language=language).lesions
    assert [(lesion.infusion_at_site, [site.region for site in lesion.sites]) for lesion in found] == [
        (True, ["hand" if "mano" in text else "forearm"])
    ]


@pytest.mark.parametrize(
    ("text", "deposits"),
    [
        ("Known calcinosis of the fingers. The deposit of the right thumb has doubled in size.", ["definite"]),
        ("No calcinosis was found. The deposit of the right thumb has doubled in size.", []),
        ("Possible calcinosis of the fingers. The deposit of the right thumb has doubled in size.", []),
        ("The deposit of the right thumb has doubled in size.", []),
    ],
)
def test_a_deposit_after_calcinosis_is_of_it(engine: TextEngine, text: str, deposits: list[str]) -> None:
    found = read(engine, text).lesions
    assert [lesion.hardness for lesion in found if lesion.kind == "deposit"] == deposits


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Hard nodule of the left thumb, unchanged in size since the last visit.", False),
        ("Hard nodule of the left thumb, the same since her last appointment.", False),
        ("Hard nodule of the left thumb since the last visit.", True),
    ],
)
def test_what_is_unchanged_since_the_last_visit_is_not_new(engine: TextEngine, text: str, new: bool) -> None:
    assert [lesion.called_new for lesion in read(engine, text).lesions] == [new]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("All routine blood tests, including calcium and phosphorus, were normal.", "normal"),
        ("Blood tests, including serum calcium, were unremarkable.", "normal"),
        ("Blood tests, calcium not among them, were normal.", None),
        ("We asked for calcium, the urine was normal.", None),
    ],
)
def test_a_row_set_between_commas_has_the_result_behind_it(engine: TextEngine, text: str, word: str | None) -> None:
    found = {mention.word for mention in read(engine, text).labs if mention.analyte == "calcium-total"}
    assert found == ({word} if word else set())


@pytest.mark.parametrize(
    "colour", ["white to yellowish", "yellow-to-white", "creamy white", "whitish and yellow", "yellow or red"]
)
def test_white_and_yellow_in_any_order_count_as_hard(engine: TextEngine, colour: str) -> None:
    (lesion,) = read(engine, f"Several {colour} papules of the fingers.").lesions
    assert lesion.hardness == ("unstated" if colour == "yellow or red" else "equivalent")


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("The common peroneal nerve is compressed at the fibular neck.", "trigger.nerve_compression"),
        ("A calcified mass displacing the ulnar nerve.", "trigger.nerve_compression"),
        ("The tip of the right middle finger is dry, black and mummified.", "trigger.digital_ischaemia"),
        ("The ulnar nerve is not compressed.", None),
    ],
)
def test_signs_told_by_the_state_of_the_part(engine: TextEngine, text: str, concept: str | None) -> None:
    found = {mention.concept for mention in read(engine, text).concepts if mention.status == "affirmed"}
    assert concept in found if concept else "trigger.nerve_compression" not in found
