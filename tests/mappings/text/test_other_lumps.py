"""Hard lumps that the text says to be something else, images only asked for, and questions of a leaflet."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine
from mappings.text.reading import LesionMention
from mappings.text.schema import load_lexicon, load_places

ENGINE = TextEngine.load()


def hard(text: str) -> list[LesionMention]:
    return [m for m in ENGINE.read(text).lesions if m.status == "affirmed" and m.hardness == "definite"]


@pytest.mark.parametrize(
    "text",
    [
        "Dupuytren's disease: hard nodule and cord in the right palm, new since winter.",
        "Hard Dupuytren nodule of the palm.",
        "3 days of a painful hard lump in the left upper eyelid. Impression: stye. Warm compresses.",
        "Right thumb: 5 mm hard rough papule with black dots, common wart.",
        "Hard nodule of left index finger, a viral wart, frozen today.",
        "Hard swelling of the left cheek and jaw from an abscess of tooth 36.",
        "Hands: hard bony nodules of the DIPs and PIPs, typical Heberden and Bouchard nodes, no synovitis.",
        "Rock-hard lump of the left breast, core biopsy: invasive ductal carcinoma.",
        "Harter Knoten in der rechten Hohlhand, Morbus Dupuytren.",
        "Nodule dur de la paupière supérieure droite : chalazion.",
        "Nódulo duro en planta del pie izquierdo por callo plantar.",
        "Nódulo duro na pálpebra esquerda. Impressão: calázio.",
        "Hard papule on finger: viral wart treated with cryotherapy.",
        "Hard nodule of the presternal skin, keloid.",
        "Hard plaque of the penis, Peyronie's disease.",
        "Hard nodules over the PIP joints, consistent with knuckle pads.",
        "Hard lump over the tibial tuberosity, Osgood-Schlatter.",
        "Nodule dur de l'épaule : chéloïde.",
    ],
)
def test_a_lump_that_the_examination_settles_is_no_lesion(text: str) -> None:
    assert hard(text) == []
    assert ENGINE.read(text).understood


@pytest.mark.parametrize(
    "text",
    [
        "Hard nodule of the right thumb, ?wart vs calcinosis.",
        "Hard nodule right palm, not a Dupuytren nodule.",
        "Hands: Heberden nodes. Hard nodules on the fingertips.",
        "Heberden nodes and hard nodules of the fingers.",
        "Hard nodules on the fingertips, warts, Raynaud.",
        "Skin: hard nodules over both elbows, warts, xerosis.",
        "Hard papules on fingers, plantar warts.",
        "Hard nodule right index finger. Wart on left foot.",
        "Hard nodule on the finger, thought to be a wart, now discharging chalky material.",
        "Hard nodules left forearm. Assessment: wart, lupus.",
        "Hard nodule of the left breast, breast cancer 2015.",
        "Hard papule on finger: viral wart or calcinosis.",
        "Hard papule on finger, viral wart not responding to cryotherapy.",
        "Keloid of the chest, hard nodule of the left elbow.",
        "Harter Knoten am Ellenbogen, Keloid am Ohr.",
    ],
)
def test_what_might_be_calcinosis_all_the_same_stays_a_lesion(text: str) -> None:
    assert hard(text)


def test_every_named_lump_has_places_and_a_source_and_is_named_in_every_language() -> None:
    known = load_places().lumps
    assert all(lump.sources and set(lump.places) <= load_places().regions.keys() for lump in known.values())
    for language in ("en", "es", "pt", "fr", "de"):
        assert load_lexicon(language).lumps.keys() == known.keys()


@pytest.mark.parametrize(
    "text",
    [
        "Order X-ray of both hands. Calcinosis of the fingers.",
        "Plan: X-ray of both hands. Calcinosis of the fingers is suspected.",
        "X-ray requested. Subcutaneous calcification suspected at both elbows.",
        "Refer her for ultrasound of the thigh. Calcinosis likely.",
        "Peço ecografia dos cotovelos. Calcinose nos cotovelos.",
        "Solicito ecografía de codos. Calcinosis en codos.",
        "Röntgen beider Hände geplant. Kalzinose der Finger.",
        "Prévoir une radiographie des mains. Calcinose des doigts.",
    ],
)
def test_an_image_that_is_only_asked_for_has_no_finding(text: str) -> None:
    reading = ENGINE.read(text)
    assert reading.imaging == ()
    assert any(m.kind in ("calcinosis", "calcification") for m in reading.lesions)


@pytest.mark.parametrize(
    "text",
    [
        "X-ray of both hands requested by the GP showed soft tissue calcification of the thumb.",
        "X-ray of the elbow 3 May. Extensive soft tissue calcification. Plan: refer to surgery.",
    ],
)
def test_an_image_that_was_made_keeps_its_finding(text: str) -> None:
    assert [image.finding for image in ENGINE.read(text).imaging] == ["soft-tissue"]


def test_an_image_without_a_place_is_of_the_place_named_before_it() -> None:
    (image,) = ENGINE.read("Firm nodules over both olecranons, X-ray without calcification.").imaging
    assert (image.finding, [site.region for site in image.sites]) == ("none", ["elbow"])


def test_calcium_in_a_joint_is_not_the_skins() -> None:
    text = "Calcified material within the distal trapezium and medial joint recess: calcific arthropathy."
    assert not [i for i in ENGINE.read(text, kind="imaging").imaging if i.finding == "soft-tissue"]


@pytest.mark.parametrize(
    "text",
    [
        "What is calcinosis? Hard deposits of calcium under the skin, most often on the fingers.",
        "Was ist eine Kalzinose? Harte Knoten unter der Haut der Finger.",
        "At next visit: palpate elbows for calcinosis.",
        "Na próxima consulta: palpar cotovelos à procura de calcinose.",
    ],
)
def test_a_leaflet_and_a_plan_are_no_finding(text: str) -> None:
    assert {m.status for m in ENGINE.read(text).lesions} == {"hypothetical"}


def test_a_question_about_the_lump_itself_is_no_leaflet() -> None:
    assert hard("What is this lump? Hard nodule of the left elbow.")


@pytest.mark.parametrize("text", ["BP 84/50, HR 78", "Obs: BP 84/50 lying, HR 78, SpO2 97 %.", "RR 84/50 mmHg"])
def test_a_blood_pressure_is_one_result(text: str) -> None:
    assert [str(lab.value) for lab in ENGINE.read(text).labs if lab.analyte == "systolic"] == ["84"]


@pytest.mark.parametrize(
    "text",
    [
        "Calcified plaque of aorta",
        "Calcified plaque in the left main coronary artery",
        "Carotid artery plaque, calcified",
        "calcified plaque RCA",
        "Calcified plaques in the lower extremity arteries",
        "Atherosclerosis with calcified plaque",
        "Calcified nodule of aortic valve",
        "Thyroid nodule with calcification",
        "DRE: hard nodule",
        "Hard swelling of parotid",
        "Calcified epididymal nodule",
        "verkalkte Plaques der A. carotis",
        "placa calcificada en la carótida",
        "placas calcificadas coronárias",
        "plaque calcifiée de l'aorte",
    ],
)
def test_what_is_hard_in_a_vessel_or_organ_is_none_of_the_skin(text: str) -> None:
    assert not [m for m in ENGINE.read(text, kind="condition").lesions if m.status == "affirmed"]


@pytest.mark.parametrize(
    "text",
    [
        "Calcified plaques on thighs, peripheral arterial disease",
        "Hard nodules of both elbows, carotid stenosis",
        "Hard subcutaneous nodule R elbow, CAD s/p LAD stent",
        "hard nodules on the abdomen, aorta 5 cm",
        "harter Knoten am Ellenbogen, Karotisstenose",
    ],
)
def test_a_lesion_beside_a_diseased_vessel_stays(text: str) -> None:
    assert [m.hardness for m in ENGINE.read(text).lesions if m.status == "affirmed"] == ["definite"]
