"""Forms, vital signs and laboratory slips inside notes, and lesions told with words that stand for something else."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.text.engine import TextEngine
from mappings.text.reading import LesionMention

ENGINE = TextEngine.load()


def lesions(text: str) -> list[LesionMention]:
    return list(ENGINE.read(text).lesions)


def there(text: str) -> list[LesionMention]:
    return [lesion for lesion in lesions(text) if lesion.status == "affirmed"]


@pytest.mark.parametrize(
    "text",
    [
        "SKIN\nHard nodules:\nCalcinosis:\nDigital ulcers:\nTelangiectasia: face",
        "Haut\nHarte Knoten:\nKalzinose:\nSklerodaktylie: ja",
        "Nódulos duros:\nCalcinosis:",
        "Calcinosis:",
    ],
)
def test_a_field_that_nobody_filled_in_says_nothing(text: str) -> None:
    assert there(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Hard nodules:\nR elbow: 2 cm",
        "Hard nodules:\n- R elbow\n- L knee",
        "Calcinosis:\nPlan: diltiazem",
        "Hard nodules: right elbow\nUlcers:",
    ],
)
def test_a_name_with_its_finding_below_or_behind_it_is_one(text: str) -> None:
    assert there(text)


def test_a_disease_that_heads_the_lines_below_it_stays_one() -> None:
    read = ENGINE.read("Systemic sclerosis:\n\nStable on MMF.\nRaynaud: mild")
    assert [(c.concept, c.status) for c in read.concepts][:1] == [("ctd.systemic_sclerosis", "affirmed")]


@pytest.mark.parametrize(
    ("text", "analyte", "value"),
    [
        ("Obs: P 46 reg, BP 118/70, sats 98% OA.", "heart-rate", "46"),
        ("P: 58/min, RR 16", "heart-rate", "58"),
        ("Ca 9.2 mg/dL, P 3.3 mg/dL", "phosphate", "3.3"),
        ("P 32 mg/L (25-45)", "phosphate", "32"),
        ("ionised calcium (POC) 1.22 mmol/L (1.15-1.32)", "calcium-ionized", "1.22"),
        ("iCa (VBG) 1.18 mmol/L", "calcium-ionized", "1.18"),
        ("calcio iónico (gasometría) 1,20 mmol/l", "calcium-ionized", "1.20"),
        ("Calcémie 94 mg/L (86-102)", "calcium-total", "94"),
        ("VS: T 36.8, P 72, R 14, BP 126/78", "heart-rate", "72"),
        ("VS: T 36.8 P 72 R 14 BP 126/78 SpO2 98% RA. Wt 80 kg.", "systolic", "126"),
        ("FG estimado 38 ml/min/1,73 m2", "egfr", "38"),
    ],
)
def test_results_of_slips_and_vital_signs(text: str, analyte: str, value: str) -> None:
    assert (analyte, Decimal(value)) in [(lab.analyte, lab.value) for lab in ENGINE.read(text).labs]


def test_a_gas_in_brackets_makes_no_total_calcium() -> None:
    assert not [lab for lab in ENGINE.read("Ca (VBG) 1.18 mmol/L").labs if lab.analyte == "calcium-total"]


def test_the_range_in_the_cell_behind_number_and_unit() -> None:
    row = "Test | Result | Range | Date\nCalcium | 9.1 mg/dL | 8.6-10.2 | 05/19/2026"
    assert [lab.limits for lab in ENGINE.read(row).labs] == ["8.6-10.2"]


@pytest.mark.parametrize(
    "text",
    [
        "Chronic ulcer of the right leg with a hard callous margin, floor with pale granulation.",
        "Úlcera en pierna derecha de bordes endurecidos, fondo limpio.",
        "Úlcera em perna direita com bordas endurecidas, fundo limpo.",
        "Ulcère de jambe droite à bords indurés, fond propre.",
        "Ulkus am rechten Unterschenkel mit derbem Rand, sauberer Grund.",
        "Ulcer of the left leg. Edges firm and rolled. Surrounding lipodermatosclerosis, woody.",
        "Úlcera em perna direita, pele perilesional endurecida.",
    ],
)
def test_the_hard_edge_of_an_ulcer_is_no_hard_lesion(text: str) -> None:
    assert {lesion.hardness for lesion in there(text)} <= {"unstated"}


@pytest.mark.parametrize(
    "text",
    [
        "Right chest: hard 2.5 cm round lump below clavicle = power port, accessed with 20G Huber, good blood return.",
        "Tastbare Verkalkungen oder Knoten fanden sich weder an den Ellenbogen noch an den Händen.",
        "Hard nodules were found neither at the elbows nor at the hands.",
        "Les nodules n'ont été retrouvés ni aux coudes ni aux mains.",
        "Four months after excision of the right index calcinosis. Wound healed.",
        "Excision of calcinotic nodule, right index fingertip. Chalky material curetted. Wound closed.",
        "La kinésithérapeute avait cru sentir une boule dure du poignet : il s'agit de l'apophyse styloïde.",
        "Her husband found out in March that the hard lumps on his back are a sarcoma.",
        "Nódulos duros: no se observan.",
    ],
)
def test_what_is_a_device_denied_or_taken_out_is_not_there(text: str) -> None:
    assert there(text) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Linker Unterarm: zwei harte, nicht schmerzhafte Knoten.", 2),
        ("Three hard, not painful nodules of the left forearm", 3),
        ("Tres nódulos duros, no adheridos, en antebrazo izquierdo", 3),
        ("Two weeks later hard papules of the left hand", None),
        ("Painful hard swelling over left greater trochanter, 6 x 4 cm", 1),
        ("Hard swelling over left greater trochanter", None),
    ],
)
def test_how_many_there_are(text: str, count: int | None) -> None:
    assert [lesion.count for lesion in there(text)] == [count]


@pytest.mark.parametrize(
    ("text", "amount", "recurring"),
    [
        ("My wife spotted some hard bumps on my thighs in April.", None, "04"),
        ("My wife noticed some hard bumps on my thighs in April.", None, "04"),
        ("Meine Frau entdeckte im April harte Knoten an den Oberschenkeln.", None, "04"),
        ("2 hard nodules L thigh noted since 2/12.", 2, None),
        ("a hard nodule in the left forarm noticed since Febuary", None, "02"),
        ("Nodules of the legs for 3 months. Exam: hard nodules of the lower legs.", 3, None),
        ("SSc. Two weeks later hard nodules of the left hand", None, None),
        ("Two weeks of recurrent fevers and painful nodules on the thighs.", 2, None),
        ("Since early May: hard plaque over the dorsum of the right foot.", None, "05"),
        ("Her husband pointed out hard lumps on her arms in March.", None, "03"),
    ],
)
def test_when_it_began(text: str, amount: int | None, recurring: str | None) -> None:
    onset = there(text)[-1].onset
    assert (onset and onset.amount, onset and onset.recurring) == (amount, recurring)


def test_an_episode_that_is_over_is_another_one() -> None:
    text = "3 months of hard nodules of the legs. A similar episode ten years ago resolved spontaneously."
    assert [lesion.onset and lesion.onset.amount for lesion in there(text)] == [3]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("SQ nods, rock-hard, b/l olecranon", "elbow"),
        ('seit 2 Monaten "Steine" unter der Haut an beiden Oberschenkeln außen, knallhart', "thigh"),
        ("hard nodule, left forarm", "forearm"),
        ("hard lump right sholder", "shoulder"),
    ],
)
def test_short_and_misspelt_words(text: str, place: str) -> None:
    assert [(found.hardness, found.sites[0].place) for found in there(text)] == [("definite", place)]


@pytest.mark.parametrize(
    ("text", "infused"),
    [
        ("Calcium gluconate IV into the left hand in April. Two weeks later hard papules of the left hand.", True),
        ("Calcium gluconate IV into the left hand in April. Hard papules of the right knee.", False),
        ("In 2015 calcium gluconate infusion, left hand. Hard papules of the left hand for 3 months.", False),
    ],
)
def test_what_was_infused_before_the_lesion_is_told(text: str, infused: bool) -> None:
    assert [lesion.infusion_at_site for lesion in there(text)] == [infused]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("XR tibia: No radio-opacity within the soft tissues. Bones normal.", "none"),
        ("XR elbows: s/c calcification bilat.", "soft-tissue"),
        ("Rx de fémur derecho: no se aprecian calcificaciones ni otras imágenes radioopacas.", "none"),
        ("Rx de muslo derecho: no se observan calcificaciones.", "none"),
    ],
)
def test_films(text: str, finding: str) -> None:
    assert [image.finding for image in ENGINE.read(text).imaging] == [finding]


@pytest.mark.parametrize(
    "text",
    [
        "The calcinosis on the right ring finger has broken open since Sunday.",
        "La calcinosis del dedo se ha abierto.",
        "La calcinose du doigt s'est ouverte.",
        "A calcinose do dedo abriu.",
        "Die Kalzinose am Finger ist aufgebrochen.",
    ],
)
def test_what_broke_open_is_ulcerated(text: str) -> None:
    assert there(text)[0].ulcerated


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("G2P1 at 14+3, EDD 21/11/2026.", "trigger.pregnancy"),
        ("Errechneter Geburtstermin 21.11.2026", "trigger.pregnancy"),
        ("FPP 21/11/2026", "trigger.pregnancy"),
        ("hard mass over the left wrist with thenar wasting", "trigger.nerve_compression"),
        ("Tinel positivo en muñeca", "trigger.nerve_compression"),
        ("Thenaratrophie links", "trigger.nerve_compression"),
        ("NCS: severe median neuropathy at the wrist", "trigger.nerve_compression"),
        ("Primipare, terme prévu le 12/10/2026.", "trigger.pregnancy"),
    ],
)
def test_states_in_other_words(text: str, concept: str) -> None:
    assert concept in {c.concept for c in ENGINE.read(text).concepts if c.status == "affirmed"}


@pytest.mark.parametrize(
    "text",
    [
        "Initially considered to have classical dermatomyositis; the final diagnosis is lymphoma.",
        "Misdiagnosed as systemic lupus erythematosus in 2019.",
        "Étiquetée à tort comme lupus systémique.",
        "Zunächst fälschlich als systemische Sklerose gewertet.",
    ],
)
def test_a_disease_that_was_only_thought_of_at_first_is_none(text: str) -> None:
    assert not [c for c in ENGINE.read(text).concepts if c.concept.startswith("ctd.") and c.status == "affirmed"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("XR femur right: no soft tissue calcification.", "thigh"),
        ("Rx húmero izquierdo: sin calcificaciones.", "upper-arm"),
    ],
)
def test_a_bone_tells_where_the_film_was(text: str, place: str) -> None:
    assert [site.place for site in ENGINE.read(text).imaging[0].sites] == [place]


@pytest.mark.parametrize(
    "text",
    [
        "Skin: hard lumps? None felt today.",
        "Harte Knoten? Keine tastbar.",
        "Nódulos duros? Ninguno palpado hoy.",
        "Nodules durs ? Aucun palpé.",
        "Instructed on what calcinosis looks like.",
        "Taught how to check for hard lumps.",
        "Le explica cómo reconocer nódulos duros.",
    ],
)
def test_a_question_answered_with_none_and_a_lesson_are_no_lesions(text: str) -> None:
    assert there(text) == []


def test_a_question_answered_with_another_finding_is_left_open() -> None:
    first, second = lesions("Any hard lumps? No pain, but a hard lump at the knee.")
    assert (first.status, second.status) == ("possible", "affirmed")


def test_the_edge_of_an_ulcer_is_hard_and_not_the_ulcer() -> None:
    (ulcer,) = there("Ulcus am Unterschenkel, Ränder derb, keine Knoten.")
    assert ulcer.hardness == "unstated"


def test_a_mucocele_is_another_lump() -> None:
    assert [c.concept for c in ENGINE.read("Lower lip: small hard nodule, mucocele.").concepts] == ["mimic.other_lump"]


@pytest.mark.parametrize("opening", ["", "Seen on the ward today. "])
@pytest.mark.parametrize("heading", ["VS:", "VS 0600:", "Vitals:", "Obs 06:00:"])
def test_vital_signs_are_no_sedimentation_rate(opening: str, heading: str) -> None:
    found = TextEngine.load().read(f"{opening}{heading} HR 44, BP 84/52.", language="en").labs
    assert {(lab.analyte, int(lab.value or 0)) for lab in found} == {("heart-rate", 44), ("systolic", 84)}
