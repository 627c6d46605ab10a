"""Sentences of whole notes that an earlier reading got wrong, in several wordings each (docs/held-cases.md)."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


@pytest.mark.parametrize(
    "text",
    [
        "Hard nodules of both thighs, the left one now covered by black necrotic skin with severe pain.",
        "Indurated plaque of the thigh with skin necrosis and severe pain.",
        "Hard nodule of the calf that has turned black, very painful.",
        "Hard plaque of the abdomen with a necrotic centre.",
        "Firm plate of the thigh, its middle third leathery black.",
    ],
)
def test_necrotic_skin_is_on_the_lesion_it_stands_with(text: str) -> None:
    assert [lesion.necrotic for lesion in ENGINE.read(text, language="en").lesions] == [True]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Placa dura del muslo con necrosis cutánea, dolor intenso.", "es"),
        ("Placa dura da coxa com necrose cutânea, dor intensa.", "pt"),
        ("Plaque dure de la cuisse avec nécrose cutanée, douleur intense.", "fr"),
        ("Harte Plaque am Oberschenkel mit Hautnekrose, starke Schmerzen.", "de"),
    ],
)
def test_so_it_is_in_the_other_languages(text: str, language: str) -> None:
    assert [lesion.necrotic for lesion in ENGINE.read(text, language=language).lesions] == [True]


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("The tip of the right little finger is black and dry.", "trigger.digital_ischaemia"),
        ("Two toes have gone black.", "trigger.digital_ischaemia"),
        ("Blackened left index fingertip.", "trigger.digital_ischaemia"),
        ("The left fourth fingertip went from purple to black.", "trigger.digital_ischaemia"),
        ("MWF via L AVF.", "trigger.dialysis"),
        ("URR 72 %, Kt/V 1.4.", "trigger.dialysis"),
        ("Hands clumsy, reflexes brisk, gait spastic.", "trigger.neuro_sign"),
        ("Burning in both hands.", "trigger.neuro_sign"),
        ("Calcinosis narrowing the canal.", "trigger.spine_structure"),
    ],
)
def test_signs_of_vessels_and_cord(text: str, concept: str) -> None:
    found = ENGINE.read(text, language="en").concepts
    assert concept in {mention.concept for mention in found if mention.status == "affirmed"}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("No digital ulcers, and hard lumps along the ulnar border of the right forearm.", "affirmed"),
        ("There is no ulceration, and hard plaques of both hips.", "affirmed"),
        ("No oedema, both forearms studded with stone-like lumps.", "affirmed"),
        ("No ulcers, hard nodules on the elbows or knees.", "negated"),
        ("Dad worried about a bump beside the kneecap: a rock-hard 1 cm nodule.", "affirmed"),
        ("Mum worried about calcinosis.", "hypothetical"),
        ("Knows to phone if any lump turns hard.", "hypothetical"),
        ("The hard deposits of the hip extruded that summer and nothing has re-formed.", "historical"),
        ("The nodules of the hip have gone rock hard.", "affirmed"),
        ("No ulcers, rash, and hard nodules of the elbows.", "negated"),
        ("No ulcers, or hard nodules of the elbows.", "negated"),
        ("Hard nodules of both elbows, not seen in 2024.", "affirmed"),
        ("Discussed options should calcifications occur.", "hypothetical"),
        ("New hard lumps on the elbow, which Mum describes as painless.", "affirmed"),
        ("The hard nodule of the elbow came out by itself and has not come back.", "historical"),
        ("Hard nodules of both elbows; the pain has not come back.", "affirmed"),
    ],
)
def test_whether_the_lesion_is_there(text: str, status: str) -> None:
    assert ENGINE.read(text, language="en").lesions[-1].status == status


@pytest.mark.parametrize(
    ("text", "hard"),
    [
        ("A patch on the outside of her right hip that is hard like a shell.", True),
        ("An area over the left shin which is stony hard.", True),
        ("A spot on her elbow that feels hard as a rock.", True),
        ("A bony-hard prominence over the sternal notch.", True),
        ("A plaque of the arm which feels like a sheet of eggshell.", True),
        ("An area of my thigh about the size of a credit card which has gone rock hard.", True),
        ("An area of the left thigh which turned stony hard.", True),
        ("Hard sheets over both hips.", True),
        ("A spot on her elbow that is not hard.", False),
        ("There is an area on her back that is itchy and hard to reach.", False),
        ("The area of the left hand is hard to move.", False),
        ("Hard tablets are difficult to swallow, lump in her throat.", False),
        ("Firm induration along the incision as expected.", False),
    ],
)
def test_things_called_hard_in_a_clause_of_their_own(text: str, hard: bool) -> None:
    assert any(lesion.hardness == "definite" for lesion in ENGINE.read(text, language="en").lesions) is hard


@pytest.mark.parametrize(
    "text", ["Hard nodules of the thumb. No new sites.", "Hard nodules of the thumb, no new areas."]
)
def test_a_denied_new_site_is_none(text: str) -> None:
    assert not any(lesion.new_site for lesion in ENGINE.read(text, language="en").lesions)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Hard nodule at the back of her R upper arm.", {"upper-arm"}),
        ("Hard nodules on the back of both thighs.", {"thigh"}),
        ("Hard nodule of the upper back.", {"back"}),
        ("Extremities: left shin bony-hard lump.", {"shin"}),
    ],
)
def test_the_back_of_a_limb_is_no_back_and_a_limb_no_second_place(text: str, places: set[str]) -> None:
    (lesion,) = ENGINE.read(text, language="en").lesions
    assert {site.place for site in lesion.sites} == places


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Last labs 10/14/2025: Na 141, K 4.0, calcium 9.4 mg/dL", "2025-10-14"),
        ("Labs: last on file 10/14/2025: Na 141, calcium 9.4 mg/dL", "2025-10-14"),
        ("Labs - last drawn Oct 14, 2025: Na 141, calcium 9.4 mg/dL", "2025-10-14"),
        ("Labs: most recent 3/2/2025 - calcium 9.4 mg/dL", "2025-03-02|2025-02-03"),
        ("Labs from 10/14/2025: Na 141, today calcium 9.4 mg/dL", None),
        ("DEXA 10/14/2025 T-score -2.1, calcium 9.4 mg/dL", None),
    ],
)
def test_the_day_that_heads_a_row_of_tests_is_that_of_all(text: str, date: str | None) -> None:
    assert [lab.date_text for lab in ENGINE.read(text, language="en").labs] == [date]


@pytest.mark.parametrize(
    "text",
    [
        "On calcium 1200 mg/day.",
        "On calcium 1200 daily.",
        "Takes calcium 500 BID, vit D 2000.",
        "24 h urine calcium 180 mg/d",
    ],
)
def test_a_supplement_is_no_result(text: str) -> None:
    assert ENGINE.read(text, language="en").labs == ()


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            "HRCT 05/12: stable. Oesophagus patulous. Calcifications in the subcutaneous fat of the axilla.",
            "soft-tissue",
        ),
        ("XR hands 5/18: No fracture. Joint spaces preserved. No soft tissue calcification.", "none"),
        ("XR hand: no fracture. Exam: calcinosis at the fingertips.", None),
        ("XR hand: no fracture. Skin: calcinosis at the fingertips.", None),
        ("XR hand: OA. Continue splint. Hard calcinosis of the elbows.", None),
    ],
)
def test_a_report_in_a_note_goes_to_the_end_of_its_line(text: str, finding: str | None) -> None:
    assert [image.finding for image in ENGINE.read(text, language="en").imaging] == ([finding] if finding else [])


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Pathology: epidermal inclusion cyst with keratin and focal dystrophic calcification of the wall.", False),
        ("Pathology: dermal calcium deposits. Incidental epidermal cyst.", True),
    ],
)
def test_the_calcium_of_a_cyst_is_none_of_the_skin(text: str, finding: bool) -> None:
    (biopsy,) = ENGINE.read(text, language="en").biopsies
    assert (biopsy.finding == "calcium") is finding


def test_what_is_called_new_before_is_new_where_it_is_found() -> None:
    text = "Some new lumps on the left elbow.\nO/E hard nodules of the left olecranon."
    assert [lesion.called_new for lesion in ENGINE.read(text, language="en").lesions] == [True, True]


@pytest.mark.parametrize("text", ['Referred by PCP as "scleroderma".', "She was told that she has lupus."])
def test_a_disease_that_somebody_else_named_is_a_doubt(text: str) -> None:
    assert [mention.status for mention in ENGINE.read(text, language="en").concepts] == ["possible"]
