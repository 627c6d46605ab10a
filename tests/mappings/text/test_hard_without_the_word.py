"""Lesions told without "nodule" and hardness without "hard", what only looks like them, and where they are."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine
from mappings.text.reading import LesionMention

ENGINE = TextEngine.load()


def lesions(text: str) -> list[LesionMention]:
    return [m for m in ENGINE.read(text).lesions if m.status == "affirmed"]


@pytest.mark.parametrize(
    "text",
    [
        "He can feel 'birdshot' beneath the skin of both thighs since February.",
        'Refiere que desde Reyes tiene "perdigones" bajo la piel de los muslos.',
        "Petits grains de plomb sous la peau des avant-bras, durs comme du bois.",
        "It is a plate of calcium that has come through the skin of the thumb.",
        "Placas calcáreas en ambos flancos.",
        "Plaque calcaire du coude droit.",
        "The flanks are encased in a rigid shell you can tap on like wood.",
        "Petrified lumps at both elbows.",
        "Caroços petrificados nos dois cotovelos.",
        "Versteinerte Knoten an beiden Ellenbogen.",
        "Stony consistency under the skin of both legs.",
        "Konsistenz: an der Wade harte Konsistenz unter der Haut.",
        'Something "like a ball bearing" in the crook of the right arm.',
        "« Galet » sous la peau de la hanche droite.",
        "Calombo que parece cimento na nádega esquerda.",
        "In der rechten Kniekehle eine zementartig feste Platte.",
        "An den Flanken eine unnachgiebige Platte unter der Haut, beim Beklopfen wie Holz.",
    ],
)
def test_a_comparison_says_that_it_is_hard(text: str) -> None:
    assert [m.hardness for m in lesions(text)] == ["definite"]


@pytest.mark.parametrize(
    "text",
    [
        "Birdshot chorioretinopathy of both eyes.",
        "Hard crusts in the nose.",
        "Hard lumps | No |\nCalcinosis | No |\nRaynaud | Yes |",
        "Birdshot beneath the skin of both thighs from an old gun accident.",
        "Hard faecal masses palpable in the left iliac fossa.",
        "Masas fecales duras en fosa ilíaca izquierda.",
        "Massas fecais duras no flanco esquerdo.",
        "Masses fécales dures dans le flanc gauche.",
        "Harte Stuhlmassen im linken Unterbauch.",
    ],
)
def test_what_is_no_lesion_of_the_skin(text: str) -> None:
    assert lesions(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Firm lump of the left wrist that lights up with the pen torch.",
        "Bulto firme en la muñeca que se ilumina con la linterna.",
        "Nodule ferme du poignet qui laisse passer la lumière.",
    ],
)
def test_light_goes_through_a_cyst(text: str) -> None:
    assert [m.hardness for m in lesions(text)] == ["against"]


@pytest.mark.parametrize(
    "text",
    [
        "String of marble-hard beads along the right forearm, not present in January.",
        "Hard lump of the forearm, not there last summer.",
        "Bulto duro en antebrazo derecho, que no estaba en enero.",
        "Nódulo duro no antebraço direito, ausente em janeiro.",
        "Nodule dur de l'avant-bras droit, absent en janvier.",
        "Harter Knoten am rechten Unterarm, im Januar noch nicht vorhanden.",
    ],
)
def test_not_there_in_a_month_is_new(text: str) -> None:
    assert [m.called_new for m in lesions(text)] == [True]


def test_not_there_today_is_denied() -> None:
    assert lesions("Hard lump of the right forearm: not present.") == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Hard lumps of both calves. Noticed since the turn of the year.", "01-01"),
        ("Percebeu no Carnaval umas bolinhas duras nas coxas.", "easter-47"),
        ("Seit Fasching harte Knoten an beiden Oberschenkeln.", "easter-47"),
        ("Nodules durs des avant-bras depuis la Toussaint.", "11-01"),
        ("Nódulos duros en los muslos desde Reyes.", "01-06"),
        ("Harte Knoten an beiden Oberschenkeln seit Pfingsten.", "easter+49"),
    ],
)
def test_feasts_are_days(text: str, day: str) -> None:
    assert [m.onset.recurring for m in lesions(text) if m.onset] == [day]


def test_a_clause_of_place_does_not_own_the_time() -> None:
    [lump] = lesions("Two hard lumps on the abdomen where she gives the methotrexate pen, 3 months.")
    assert lump.onset is not None and lump.onset.unit == "month"


@pytest.mark.parametrize(
    ("text", "timed"), [("Hard lump forearm 3/12.", True), ("XR: calcified lump forearm 3/12.", False)]
)
def test_months_right_behind_the_place(text: str, timed: bool) -> None:
    assert any(m.onset for m in lesions(text)) is timed


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Harter Knoten in der rechten Hohlhand.", "palm"),
        ("Harter Knoten der Ellenbeuge.", "elbow"),
        ("Harter Knoten der Oberschenkelaußenseite.", "thigh"),
        ("Harter Knoten über dem Schulterblatt.", "back"),
        ("Hard nodule of the kneecap.", "knee"),
        ("Nódulo duro en el nudillo.", "hand"),
        ("Nódulo duro na fossa poplítea.", "knee"),
        ("Nodule dur de l'omoplate.", "back"),
    ],
)
def test_places(text: str, place: str) -> None:
    assert [site.place for m in lesions(text) for site in m.sites] == [place]


def test_an_atrial_fibrillation_is_no_finger() -> None:
    [nodule] = lesions("Nodule dur du genou, fibrillation auriculaire.")
    assert [site.place for site in nodule.sites] == ["knee"]


@pytest.mark.parametrize(
    "text",
    [
        "XR both hands: tram-track calcification of the radial and digital arteries.",
        "XR leg: calcification of the subcutaneous vessels.",
        "Röntgen Hand: Verkalkung der Fingerarterien.",
    ],
)
def test_small_vessels_are_vessels(text: str) -> None:
    assert [m.finding for m in ENGINE.read(text).imaging] == ["vascular-only"]


@pytest.mark.parametrize(
    ("text", "analyte"),
    [
        ("Gasometria: pH 7,38, Ca++ 1,21 mmol/L (VR 1,15-1,33).", "calcium-ionized"),
        ("BGA: pH 7,40, Calcium 1,18 mmol/l", "calcium-ionized"),
        ("Gaz du sang : pH 7,40, calcium 1,18 mmol/l", "calcium-ionized"),
        ("VBG pH 7.38, serum calcium 1.80 mmol/L", "calcium-total"),
        ("VBG pH 7.38, Ca 2.31 mmol/L", "calcium-total"),
        ("Ca 1.21 mmol/L", "calcium-total"),
    ],
)
def test_the_calcium_of_a_blood_gas_is_ionized(text: str, analyte: str) -> None:
    assert [m.analyte for m in ENGINE.read(text).labs] == [analyte]


def test_what_looks_like_wet_plaster_is_chalky() -> None:
    [split] = lesions("Fingertip split again; what comes out looks like wet plaster.")
    assert split.chalky
    assert lesions("Fingertip cut, put a plaster on it.") == []
