"""How clinicians of four languages name states, hard lumps and their absence (tests/data/states.yaml, and below)."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.text.engine import TextEngine
from tests.generated import check_part
from tests.yaml_files import read_yaml

PAGE = Path(__file__).parents[3] / "docs" / "text.md"
BY = "tests/mappings/text/test_breadth.py"
NAMES = {"de": "German", "fr": "French", "es": "Spanish", "pt": "Portuguese"}
STATES: dict[str, dict[str, list[str]]] = read_yaml(Path(__file__).parents[2] / "data" / "states.yaml")

HARD = {
    "de": [
        "harte Verdickung am Daumen",
        "holzharte Infiltration am Oberschenkel",
        "kieselsteinartige Knoten am Gesäß",
        "Kalkperlen unter der Haut der Finger",
        "Kalzinoseherd am Daumen links",
        "brettharte Verkalkungsplatte subkutan am Oberschenkel",
    ],
    "fr": [
        "élément dur sous-cutané du doigt",
        "tophi calcaires des doigts",
        "tumeur dure de l'avant-bras",
        "roches sous la peau",
    ],
    "es": [
        "pelotas duras en los muslos",
        "tumoraciones calcáreas en nalgas",
        "nudosidades duras en los dedos",
        "neoformación dura en codo",
        "nodulillos duros en el pulpejo",
    ],
    "pt": [
        "endurecimento pétreo no polegar",
        "bolotas duras nas coxas",
        "nodosidades duras nos dedos",
        "grumos calcários subcutâneos nas coxas",
        "nodulozinhos duros na polpa do polegar",
    ],
}
NOTHING_NOW = {
    "de": [
        "eine Kalzinose ließ sich nicht nachweisen",
        "Fehlen von Kalkknoten",
        "Kalkknoten werden nicht beschrieben",
        "ein Hinweis auf Kalkknoten ergab sich nicht",
        "Weichteilverkalkungen kamen nicht zur Darstellung",
        "harte Knoten habe sie nie gehabt",
        "Gefahr einer Kalzinose",
        "Schwiegermutter hat harte Knoten",
        "vor Jahren harte Knoten, jetzt keine mehr",
        "begleitet von ihrem Mann, der harte Knoten hat",
        "in Begleitung der Tochter, die harte Knoten am Ellenbogen hat",
        "es können sich im Verlauf Kalkknoten in der Haut bilden",
        "aufgeklärt, dass sich Kalkablagerungen in der Haut bilden können",
    ],
    "fr": [
        "absence d'un nodule sous-cutané",
        "échographie demandée à la recherche d'une calcinose",
        "en cas d'une calcinose",
        "doit reconsulter en cas d'apparition de boules dures",
        "une collègue a des nodules durs",
        "les nodules ont régressé",
        "calcinose résolutive",
        "sa belle-mère a des nodules durs",
    ],
    "es": [
        "exenta de nódulos",
        "acude acompañada de su madre, a quien operaron de calcificaciones en los dedos",
        "con los años pueden formarse depósitos de calcio bajo la piel",
        "su suegra tiene nódulos duros",
        "1998: resección de nódulo calcáreo del índice, sin recidiva desde entonces",
    ],
    "pt": [
        "isenta de nódulos",
        "uma colega tem nódulos duros",
        "podem se formar depósitos de cálcio sob a pele",
        "ressecção de nódulo calcário",
    ],
}
STILL_THERE = {
    "de": [
        "begleitet von der Tochter, die harte Knoten an den Händen bemerkt hat",
        "begleitet von der Tochter, die berichtet, dass die Patientin harte Knoten hat",
        "begleitet von ihrem Mann, harte Knoten am Ellenbogen",
        "Sehr geehrte Frau Kollegin, wir sahen harte Knoten am Ellenbogen",
    ],
    "fr": [
        "plus d'une dizaine de nodules durs des coudes",
        "adressée par un collègue pour nodules durs des coudes",
        "surveillance des nodules durs des coudes",
    ],
    "es": [
        "extracción de sangre, nódulos duros en codos",
        "acude acompañada de su hija, presenta nódulos duros en codos",
        "en el caso del paciente, nódulos duros",
    ],
    "pt": ["no caso da doente, nódulos duros nos cotovelos", "história da lesão: nódulo duro no cotovelo há 2 meses"],
}


@pytest.fixture(scope="module")
def engine() -> TextEngine:
    return TextEngine.load()


@pytest.mark.parametrize("concept", STATES)
def test_state_is_read_in_the_words_of_four_languages(engine: TextEngine, concept: str) -> None:
    unread = [
        (language, phrase)
        for language, phrases in STATES[concept].items()
        for phrase in phrases
        if all(c.concept != concept for c in engine.read(f"{phrase}.", language=language).concepts)
    ]
    assert unread == []


def there(engine: TextEngine, phrase: str, language: str) -> list[str | None]:
    """How hard what the phrase says to be there now is; an image counts as hard."""
    reading = engine.read(f"{phrase}.", language=language)
    images = ["definite" for i in reading.imaging if i.finding == "soft-tissue" and i.status == "affirmed"]
    return [m.hardness for m in reading.lesions if m.status == "affirmed" and not m.resolved] + images


@pytest.mark.parametrize(("language", "phrase"), [(lang, p) for lang, ps in HARD.items() for p in ps])
def test_hard_lump_is_read(engine: TextEngine, language: str, phrase: str) -> None:
    assert "definite" in there(engine, phrase, language)


@pytest.mark.parametrize(("language", "phrase"), [(lang, p) for lang, ps in NOTHING_NOW.items() for p in ps])
def test_nothing_is_there_now(engine: TextEngine, language: str, phrase: str) -> None:
    assert there(engine, phrase, language) == []


@pytest.mark.parametrize(("language", "phrase"), [(lang, p) for lang, ps in STILL_THERE.items() for p in ps])
def test_what_the_patient_has_is_not_taken_away(engine: TextEngine, language: str, phrase: str) -> None:
    assert "definite" in there(engine, phrase, language)


@pytest.mark.parametrize(
    ("language", "phrase"),
    [
        ("de", "RR liegend 84/50 mmHg"),
        ("fr", "TA couchée 84/50"),
        ("es", "TA en decúbito 84/50"),
        ("pt", "PA deitado 84x50 mmHg"),
    ],
)
def test_pressure_with_its_posture_is_read(engine: TextEngine, language: str, phrase: str) -> None:
    labs = engine.read(phrase, language=language).labs
    assert [(lab.analyte, lab.value) for lab in labs] == [("systolic", 84)]


@pytest.mark.parametrize(
    ("language", "phrase"),
    [
        ("de", "Hochauflösende Ösophagusmanometrie: erhaltene Peristaltik"),
        ("fr", "Manométrie œsophagienne : péristaltisme conservé"),
        ("de", "HR-Manometrie Ösophagus: Peristaltik in allen Segmenten regelrecht"),
        ("fr", "MHR œsophagienne : contractions péristaltiques normales"),
        ("es", "Manometría de esófago: ondas peristálticas normales"),
        ("pt", "Manometria do esófago: ondas peristálticas normais"),
        ("fr", "Manométrie œsophagienne haute résolution : péristaltisme œsophagien conservé"),
        ("es", "Manometría esofágica de alta resolución: peristalsis esofágica conservada"),
        ("pt", "Manometria esofágica de alta resolução: peristalse esofágica preservada"),
        ("en", "High-resolution oesophageal manometry: peristalsis preserved"),
    ],
)
def test_preserved_peristalsis_is_a_normal_oesophageal_test(engine: TextEngine, language: str, phrase: str) -> None:
    labs = engine.read(phrase, language=language).labs
    assert [(lab.analyte, lab.word) for lab in labs] == [("oesophageal-test", "normal")]


def test_month_before_its_verb_is_an_onset(engine: TextEngine) -> None:
    (lesion,) = engine.read("Im Februar erstmals bemerkt: harte Knötchen an den Fingern.", language="de").lesions
    assert lesion.onset is not None and lesion.onset.recurring == "02"


def test_a_question_before_a_word_with_an_accent_asks_for_what_stands_before(engine: TextEngine) -> None:
    text = "Indication : calcinose ? Résultat : œdème des adducteurs, absence de calcification."
    reading = engine.read(text, kind="imaging", language="fr")
    assert [c.status for c in reading.concepts] == ["possible"]
    assert [(i.finding, i.status) for i in reading.imaging] == [("none", "affirmed")]


@pytest.mark.parametrize(
    ("language", "phrase"),
    [
        ("de", "EF von einem Drittel der Norm (33 %)"),
        ("fr", "FE au tiers de la normale (33 %)"),
        ("es", "FE de un tercio (33 %)"),
        ("pt", "FE de um terço (33 %)"),
    ],
)
def test_fraction_with_its_figure_in_a_bracket_is_read(engine: TextEngine, language: str, phrase: str) -> None:
    labs = engine.read(phrase, language=language).labs
    assert [(lab.analyte, lab.value) for lab in labs] == [("ejection-fraction", 33)]


@pytest.mark.parametrize(
    ("language", "phrase"),
    [
        ("de", "er klagt, dass feste Kost im Brustkorb stecken bleibt"),
        ("fr", "la viande reste coincée derrière le sternum"),
        ("es", "la carne se le atora detrás del esternón"),
        ("pt", "a carne entala atrás do esterno"),
    ],
)
def test_food_that_sticks_is_dysphagia(engine: TextEngine, language: str, phrase: str) -> None:
    assert "trigger.dysphagia" in {c.concept for c in engine.read(phrase, language=language).concepts}


def words_to_confirm() -> str:
    """How many phrases of each language's sheet nobody who practises in it has read."""
    lines = ["| Language | States | Phrases |", "|---|---|---|"]
    for language, name in NAMES.items():
        sheet = [phrases[language] for phrases in STATES.values() if language in phrases]
        lines.append(f"| {name} | {len(sheet)} | {sum(map(len, sheet))} |")
    return "\n".join(lines) + "\n"


def test_page_says_how_many_words_await_confirmation() -> None:
    check_part(PAGE, "words", BY, words_to_confirm())
