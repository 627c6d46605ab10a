"""Words of clinics that the tenth set taught: small hard things, feasts, suspicions dispelled, other people's lumps.

Each rule stands with texts that must stay as they were."""

from __future__ import annotations

import pytest

from mappings.dates import PartialDate
from mappings.reader.beginnings import easter, started
from mappings.text.engine import TextEngine
from mappings.text.reading import TimeSpan

ENGINE = TextEngine.load()
NOTE = PartialDate.parse("2026-05-20")


def told(text: str) -> set[tuple[str, str]]:
    return {(m.kind, m.hardness) for m in ENGINE.read(text).lesions if m.status in ("affirmed", "possible")}


@pytest.mark.parametrize(
    "text",
    [
        "a gritty spot on the L elbow",
        "two tiny stony beads under the skin of the right forearm",
        "rock hard pellets felt over both shins",
        "bone-hard plate, lateral thigh",
        "hard white grains at the fingertips",
        "steinharte Körnchen am Zeigefinger",
        "verkalkte Platte am Oberschenkel rechts",
        "bolas duras en los codos",
        "granitos pétreos en la rodilla",
        "grãos duros no cotovelo esquerdo",
        "grains durs au bout des doigts",
        "petites billes dures sous le genou",
    ],
)
def test_a_small_thing_that_is_hard_at_a_place_is_a_lesion(text: str) -> None:
    assert any(hardness == "definite" for _, hardness in told(text))


@pytest.mark.parametrize(
    "text",
    [
        "hard grains stuck in the mill, knee pain since",
        "age spots on both hands, hard of hearing",
        "grain of rice, back pain",
        "No hard spots on the arms",
        "hard seeds stuck between the teeth",
        "Calcified area of the thyroid",
        "will return if hard beads appear on the fingers",
        "keine harten Körnchen an den Fingern",
        "zona lumbar dolorosa",
        "hard plate and screws in the L ankle",
        "bouton dur à tourner, arthrose du pouce",
    ],
)
def test_a_small_thing_elsewhere_or_denied_is_none(text: str) -> None:
    assert not told(text)


@pytest.mark.parametrize(
    "text",
    [
        "Hard nodules at the DIPs c/w Heberden's nodes.",
        "Bony-hard nodules of the fingers, typical of Heberden's nodes",
        "Knoten am Fingerendgelenk, vereinbar mit Heberden-Arthrose",
        "nódulos duros en interfalángicas distales compatibles con nódulos de Heberden",
        "nódulos duros nos dedos, compatíveis com nódulos de Heberden",
        "nodules durs des IPD compatibles avec des nodosités d'Heberden",
        "calcified 4 mm nodule RUL, old granuloma",
        "RUL calcified 4 mm nodule",
        "hard 1.5 cm nodule R lobe of thyroid, moves with swallowing",
        "verkalkter Knoten im rechten Schilddrüsenlappen",
        "Muscle knots in the trapezius, rock hard, massage helps.",
        "Muskelverhärtungen im Nacken, steinhart",
    ],
)
def test_what_is_said_to_be_no_skin_is_no_lesion(text: str) -> None:
    assert not told(text)


@pytest.mark.parametrize(
    "text",
    [
        "Heberden's nodes. Hard nodules on the fingertips.",
        "Heberden's nodes and hard nodules on the R fingertips.",
        "hard nodule of the ear lobe",
        "rock-hard knots under the skin of the thighs",
        "Heberden-Arthrose. Harte Knoten an den Fingerkuppen.",
    ],
)
def test_a_lesion_beside_them_still_counts(text: str) -> None:
    assert any(hardness == "definite" for _, hardness in told(text))


@pytest.mark.parametrize(
    ("text", "begun"),
    [
        ("rock-hard lump R buttock, felt by pt since Xmas", "2025-12-25"),
        ("Since Feb has stony nodules along both forearms", "2026-02"),
        ("hard lumps both thumbs, first noticed a fortnight ago", "2026-05-06"),
        ("hard bumps on my elbow ever since Easter", "2026-04-05"),
        ("hard lump of the shin since June", "2025-06"),
        ("bulto duro en el codo desde la semana pasada", "2026-05-13"),
        ("desde Semana Santa, nódulo duro en el codo", "2026-04-05"),
        ("nódulo duro no cotovelo desde março", "2026-03"),
        ("nódulo duro no cotovelo desde o Natal", "2025-12-25"),
        ("nodule dur du coude depuis Pâques", "2026-04-05"),
        ("nodule dur du coude depuis février", "2026-02"),
        ("harter Knoten am Ellenbogen seit Ostern", "2026-04-05"),
        ("harter Knoten am Ellenbogen, seit Januar", "2026-01"),
    ],
)
def test_a_time_without_its_year_is_the_last_one_before_the_note(text: str, begun: str) -> None:
    assert [str(started(m.onset, NOTE)) for m in ENGINE.read(text).lesions] == [begun]


@pytest.mark.parametrize(
    "text",
    [
        "On MTX since Feb; hard nodule L elbow.",
        "Review in March. Hard nodule L elbow.",
        "hard nodule L elbow which may ulcerate since may",
        "hard nodule L elbow, march on",
        "hard nodule L elbow, back in a fortnight",
        "SLE seit Februar, harter Knoten am Ellenbogen",
        "control en marzo, nódulo duro en el codo",
    ],
)
def test_a_month_that_is_no_beginning_is_none(text: str) -> None:
    assert [m.onset for m in ENGINE.read(text).lesions] == [None]


def test_easter_and_years() -> None:
    assert [str(easter(year)) for year in (1999, 2024, 2025, 2026, 2038)] == [
        "1999-04-04",
        "2024-03-31",
        "2025-04-20",
        "2026-04-05",
        "2038-04-25",
    ]
    assert started(TimeSpan(recurring="easter"), PartialDate.parse("2026-03-20")) == PartialDate.parse("2025-04-20")
    assert started(TimeSpan(recurring="02"), None) is None


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Verdacht auf SLE ausgeräumt", "negated"),
        ("Lupusverdacht nicht bestätigt", "negated"),
        ("V.a. SLE, nicht bestätigt", "negated"),
        ("Der Verdacht auf Lupus ließ sich nicht erhärten", "negated"),
        ("Lupusverdacht bisher nicht bestätigt", "possible"),
        ("Sospecha de LES no confirmada", "negated"),
        ("Sospecha de LES aún no confirmada", "possible"),
        ("Suspeita de LES não confirmada", "negated"),
        ("LES ainda não confirmado", "possible"),
        ("Suspicion de lupus infirmée", "negated"),
        ("Lupus pas encore confirmé", "possible"),
        ("Suspected SLE, not borne out by serology", "negated"),
        ("SLE was not confirmed", "negated"),
        ("SLE not yet confirmed", "possible"),
        ("Suspected lupus, not confirmed", "possible"),
        ("SLE confirmed by biopsy", "affirmed"),
    ],
)
def test_a_suspicion_that_was_dispelled(text: str, status: str) -> None:
    assert [m.status for m in ENGINE.read(text).concepts if m.concept == "ctd.sle"] == [status]


@pytest.mark.parametrize(
    "text",
    [
        "She cares for her husband, who has gout with hard chalky lumps on both elbows.",
        "her sister who has scleroderma has hard nodules on the fingers",
        "Her son, who has lupus, is well.",
        "ihr Mann, der harte Knoten an den Ellenbogen hat",
        "su mujer tiene bultos duros en los codos",
        "a sua mulher tem caroços duros nos cotovelos",
        "sa femme a des nodules durs aux coudes",
        "Operated on in 2011 for calcified nodules of the forearm",
        "2011 wurden harte Knoten am Unterarm operiert",
        "intervenida en 2011 de nódulos calcificados del antebrazo dcho., sin recidiva",
        "operada em 2011 de nódulos calcificados do antebraço",
        "opérée en 2011 de nodules calcifiés de l'avant-bras",
        "Devra reconsulter en cas d'apparition d'une masse dure.",
        "Wiedervorstellung, sobald harte Knoten auftreten",
        "acudirá si nota bultos duros",
    ],
)
def test_of_others_of_the_past_or_not_yet(text: str) -> None:
    reading = ENGINE.read(text)
    assert not told(text)
    assert not [m for m in reading.concepts if m.concept.startswith("ctd.") and m.status == "affirmed"]


@pytest.mark.parametrize(
    "text",
    [
        "Accompanied by her husband, who has noticed hard lumps on her elbows.",
        "Her mother, who has lupus, noticed hard nodules on the patient's elbow.",
        "65-jähriger Mann mit harten Knoten am Ellenbogen",
        "Operada de apendicitis en 2011. Nódulos duros en el codo.",
        "on note l'apparition d'une masse dure du coude",
        "Denies ulcers, but does c/o a tender gritty knob on the L elbow",
        "Pt pointed out several rock-hard plates over both thighs, which were not present on exam 11/2025.",
        "hard lumps both knees that were not there last year",
        "hard nodule R elbow, not present at the last visit",
        "bola dura en el codo que no estaba presente en la última revisión",
    ],
)
def test_what_is_there_all_the_same(text: str) -> None:
    assert any(hardness == "definite" for _, hardness in told(text))


def test_what_was_not_present_at_an_examination_of_no_year_is_not_there() -> None:
    assert not told("hard lumps per pt, which were not present on exam")


@pytest.mark.parametrize(
    "text",
    [
        "The stony deposit over the L elbow has roughly doubled in size since the autumn",
        "hard nodule L shin, now twice its previous size",
        "der harte Knoten am Ellenbogen hat sich verdoppelt",
        "el nódulo duro del codo ha duplicado su tamaño",
        "o nódulo duro do cotovelo dobrou de tamanho",
        "le nodule dur du coude a presque doublé de volume",
    ],
)
def test_growth_in_other_words(text: str) -> None:
    assert [m.growing for m in ENGINE.read(text).lesions] == [True]


def test_a_dose_that_was_doubled_is_no_growth() -> None:
    assert [m.growing for m in ENGINE.read("Dose of MTX was doubled. Hard nodule L elbow unchanged.").lesions] == [
        False
    ]


@pytest.mark.parametrize(
    ("text", "there", "absent"),
    [
        ("+ calcinosis, - ulcers, + telangiectasia", {"calcinosis"}, {"ulcer"}),
        ("Raynaud +, calcinosis -, ulcers +", {"ulcer"}, {"calcinosis"}),
        ("Skin: Raynaud+, calcinosis-, sclerodactyly+", set(), {"calcinosis"}),
        ("Raynaud +, nódulos -, úlceras -", set(), {"nodule", "ulcer"}),
        ("Raynaud +, Kalzinose -, Ulzera -", set(), {"calcinosis", "ulcer"}),
        ("Anti-CCP+, hard nodules - both elbows", {"nodule"}, set()),
        ("RF -, CCP -, ANA +; hard nodules L elbow", {"nodule"}, set()),
        ("hard nodules - both elbows, RF +", {"nodule"}, set()),
        ("Calcinosis score 0", set(), {"calcinosis"}),
        ("Calcinosis 0/3", set(), {"calcinosis"}),
    ],
)
def test_rows_of_signs(text: str, there: set[str], absent: set[str]) -> None:
    mentions = ENGINE.read(text).lesions
    assert {m.kind for m in mentions if m.status == "affirmed"} == there
    assert {m.kind for m in mentions if m.status == "negated"} == absent


@pytest.mark.parametrize(
    "text",
    [
        "little stones in my fingers",
        "pedrinhas nos dedos das mãos que doem",
        "piedrecitas en los dedos",
        "Steinchen in den Fingern",
        "petits cailloux dans les doigts",
        "Feels like gravel under the skin of both buttocks when sitting",
        "like a grain of sand under the skin of the fingertip",
        "She points to a pebble on her elbow.",
        "Large calcium lump left hip",
        "bolitas de calcio en los codos",
        "Kalkknubbel am Ellenbogen",
        "des boules de calcaire sur les doigts",
        "a rock-hard 'egg' in her left buttock",
        "hard, non mobile lump R shin",
        "The nodule on her knee has gone hard",
    ],
)
def test_what_patients_feel_is_hard(text: str) -> None:
    assert {hardness for _, hardness in told(text)} == {"definite"}


@pytest.mark.parametrize(
    "text",
    [
        "stones in the kidney, flank pain",
        "passed small stones in urine, hand pain",
        "stones in the left flank",
        "She fell on a stone on her elbow",
        "pebbles in her shoe hurt her foot",
        "bladder stones; finger pain",
        "cálculos, piedras en el riñón, dolor de dedos",
        "hard rock music, back pain",
        "goitre with a hard nodule",
        "bocio con nódulo duro",
        "Nodule L knee - gone",
        "Patient googled calcinosis",
        "Patientin hat Angst vor Kalzinose",
        "la patiente craint une calcinose",
    ],
)
def test_other_stones_and_fears_are_none(text: str) -> None:
    assert not told(text)


@pytest.mark.parametrize(
    "text",
    [
        "squeezed out a bit of white chalk from her fingertip",
        "saiu uma massa branca tipo giz do dedo",
        "salió un material blanco como tiza del dedo",
    ],
)
def test_chalk_that_came_out(text: str) -> None:
    assert [m.chalky for m in ENGINE.read(text).lesions] == [True]


@pytest.mark.parametrize(
    ("text", "begun"),
    [
        ("hard bumps over the index finger, coming up one by one, earliest in late March", "2026-03"),
        ("cement-like lumps in both thighs, she dates them to about Thanksgiving", "2025-11"),
        ("nodules durs des coudes, le premier en février", "2026-02"),
    ],
)
def test_the_first_of_several(text: str, begun: str) -> None:
    assert {str(started(m.onset, NOTE)) for m in ENGINE.read(text).lesions} == {begun}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("no calcinosis except for L thumb", "thumb"),
        ("No hard nodules apart from over the left elbow, x 3 months", "elbow"),
        ("Sin calcinosis salvo en pulgar izquierdo", "thumb"),
        ("Sem nódulos duros exceto no cotovelo direito", "elbow"),
        ("Pas de calcinose sauf au pouce gauche", "thumb"),
        ("Pas de nodule dur en dehors du coude droit", "elbow"),
        ("Keine harten Knoten außer am linken Ellenbogen", "elbow"),
    ],
)
def test_a_place_taken_out_of_a_denial(text: str, place: str) -> None:
    there = [m for m in ENGINE.read(text).lesions if m.status == "affirmed"]
    assert [(m.hardness, [site.place for site in m.sites]) for m in there] == [("definite", [place])]


@pytest.mark.parametrize(
    "text",
    [
        "No rash except on the face",
        "Skin clear, no lumps except",
        "No hard lumps; no ulcers except for healed ones on fingers",
        "No nodules except for the family history of lumps on elbows",
        "Sin lesiones salvo eritema facial",
        "Bis auf eine Rötung am Ellenbogen keine Knoten",
        "No hard nodules, pain except in the morning",
    ],
)
def test_other_exceptions_are_no_lesion(text: str) -> None:
    assert not told(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [("Doubt lupus", {"possible"}), ("No doubt lupus", {"affirmed"}), ("neonatal lupus as an infant", set())],
)
def test_doubt(text: str, found: set[str]) -> None:
    assert {m.status for m in ENGINE.read(text).concepts if m.concept == "ctd.sle"} == found
