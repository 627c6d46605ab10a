"""Ranges, dates, durations and counts as notes write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.text.engine import TextEngine
from mappings.text.reading import LesionMention
from mappings.units import load_units
from mappings.values import parse_quantity, parse_range

ENGINE = TextEngine.load()


def lesion(text: str, at: int = 0) -> LesionMention:
    return ENGINE.read(text).lesions[at]


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("Calcium 2.31 mmol/L (2.20-2.60)", ("2.20", "2.60")),
        ("Calcio 9,3 mg/dL (8,5-10,5)", ("8.5", "10.5")),
        ("Calcémie 2,34 mmol/L (N : 2,20-2,60)", ("2.20", "2.60")),
        ("Kalzium 2,31 mmol/l [2,15 – 2,55]", ("2.15", "2.55")),
        ("Kalzium 2,33 mmol/l (Norm 2,15-2,55)", ("2.15", "2.55")),
        ("Calcium\t12.4 H\t8.6-10.2 mg/dL", ("8.6", "10.2")),
        ("Calcium 9.4 8.6 - 10.2 mg/dL", ("8.6", "10.2")),
        ("Calcium, total | 9.4 | 8.6-10.2 | mg/dL", ("8.6", "10.2")),
        ("Calcium;2.31;mmol/L;2.20-2.60", ("2.20", "2.60")),
        ("Calcium,9.4,mg/dL,8.6-10.2", ("8.6", "10.2")),
        ("Calcium (8.6-10.2 mg/dL): 9.4", ("8.6", "10.2")),
        ("Calcium (ref 8.6-10.2): 9.4 mg/dL", ("8.6", "10.2")),
        ("Calcium 2,31 [2,15-2,55] mmol/l", ("2.15", "2.55")),
        ("Calcio: 9,4 (V.N.: 8,5 a 10,5 mg/dl)", ("8.5", "10.5")),
        ("Calcium .......... 9.4 mg/dL (8.6-10.2)", ("8.6", "10.2")),
        ("Calcium 9.4 mg/dL (normal range 8.6 to 10.2 mg/dL)", ("8.6", "10.2")),
        ("CA 9.5 mg/dL Ref: 8.7-10.3", ("8.7", "10.3")),
        ("Calcio 9,5 mg/dl VR: 8,5-10,5", ("8.5", "10.5")),
        ("Calcémie 2,31 mmol/L N : 2,20-2,60", ("2.20", "2.60")),
        ("Calcémie 92 mg/L Ref 88-105", ("88", "105")),
        ("Calcium 2,31 mmol/l, Referenzbereich: 2,20 bis 2,60", ("2.20", "2.60")),
        ("Calcium 9.4 mg/dL\nReference range: 8.5 to 10.5 mg/dL", ("8.5", "10.5")),
        ("Calcium 2.35 mmol/L. Reference range 8.0 to 12.0 mg/dL", ("1.9960", "2.9940")),
        ("Cálcio 9,4 mg/dL. Valores de referência: 8,6 a 10,2", ("8.6", "10.2")),
        ("Cálcio 9,4 mg/dL VR 8,6 a 10,2", ("8.6", "10.2")),
        ("Calcio 9.4 mg/dl Valores de referencia 8.5 - 10.5", ("8.5", "10.5")),
        ("Calcio 9,4 mg/dL (rango de referencia: 8,5 a 10,2)", ("8.5", "10.2")),
        ("Calcémie 2,35 mmol/l. Valeurs de référence : 2,20 à 2,60", ("2.20", "2.60")),
        ("Calcémie 2,35 mmol/l (valeurs usuelles 2,20-2,60)", ("2.20", "2.60")),
        ("Calcium 2,35 mmol/l\nNormwerte 2,15 bis 2,55", ("2.15", "2.55")),
    ],
)
def test_the_bracket_behind_a_number_is_the_laboratorys_range(text: str, limits: tuple[str, str]) -> None:
    mention = next(m for m in ENGINE.read(text).labs if m.analyte == "calcium-total")
    table = load_units()
    quantity = parse_quantity(f"{mention.value} {mention.unit}", table)
    assert quantity is not None and mention.limits is not None
    found = parse_range(mention.limits, quantity, table.analytes["calcium-total"], table)
    assert found is not None
    assert (found.low, found.high) == (Decimal(limits[0]), Decimal(limits[1]))


@pytest.mark.parametrize(
    "text",
    [
        "Calcium 9.4 mg/dL (normal)",
        "Calcium 9.4 mg/dL normal 3-4 weeks ago",
        "Calcium 9.4 mg/dL ref 12-05-2026",
        "Calcium 9.4 mg/dL\nNormal 3.5 to 4.5 weeks ago",
        "Calcium 9.4 mg/dL. Phosphate reference range: 2.5 to 4.5",
        "Calcium 9.4 mg/dL, reference range 2019-2020",
    ],
)
def test_a_bracket_without_figures_is_no_range(text: str) -> None:
    assert [m.limits for m in ENGINE.read(text).labs] == [None]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Calcémie normale le 06/05/2026", "2026-05-06"),
        ("Calcio normal el 06/05/2026", "2026-05-06"),
        ("Calcium normal on 06/05/2026", "2026-06-05|2026-05-06"),
        ("Calcium normal on 26/05/2026", "2026-05-26"),
        ("Kalzium normal am 06.05.2026", "2026-05-06"),
    ],
)
def test_only_english_writes_the_month_first(text: str, date: str) -> None:
    assert [m.date_text for m in ENGINE.read(text).labs] == [date]


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("R elbow lump x3/12, rock hard", 3, "month"),
        ("hard nodule R shin x 6/52", 6, "week"),
        ("Hard plaque of the left calf with livedo racemosa, pain 9/10, two weeks.", 2, "week"),
        ("Hard nodule with a necrotic centre for 5 months", 5, "month"),
    ],
)
def test_durations(text: str, amount: int, unit: str) -> None:
    onset = lesion(text).onset
    assert onset is not None
    assert (onset.amount, onset.unit) == (amount, unit)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("57F c/o hard elbow nodule", 1),
        ("57 F c/o hard elbow nodule", 1),
        ("2x2cm rock hard nodule R olecranon", 1),
        ("three 2x2 cm hard nodules", 3),
        ("3 hard nodules", 3),
    ],
)
def test_an_age_or_a_size_is_no_number_of_lesions(text: str, count: int) -> None:
    assert lesion(text).count == count


@pytest.mark.parametrize(
    ("text", "count", "or_more"),
    [
        ("Hard nodules over the left thigh, 4 in number.", 4, False),
        ("Hard nodules of the left thigh (n = 4)", 4, False),
        ("Hard nodules of the left thigh, four in total, 5-9 mm", 4, False),
        ("Hard nodules numbering twelve on the left thigh", 12, False),
        ("Nódulos duros en el muslo izquierdo, en número de 4.", 4, False),
        ("Nódulos duros na coxa esquerda, 4 no total.", 4, False),
        ("Nodules durs de la cuisse gauche, au nombre de trois.", 3, False),
        ("Harte Knoten am linken Oberschenkel, vier an der Zahl.", 4, False),
        ("No more than 4 hard nodules of the left thigh", 4, False),
        ("More than 4 hard nodules of the left thigh", 4, True),
        ("At least three hard nodules of the left thigh", 3, True),
        (">10 hard nodules of the left thigh", 10, True),
        ("5+ hard nodules of the left thigh", 5, True),
        ("Hard nodules of the left thigh, at least 4 in number", 4, True),
        ("Mehr als 3 harte Knoten am linken Oberschenkel", 3, True),
        ("Hard nodules of the left thigh, 2 in number, now 8.", None, False),
        ("Hard nodules of the left thigh, 3 cm in total", None, False),
        ("Hard nodules of the left thigh, present for 4 months in total", None, False),
        ("Hard nodules of the left thigh, two of them ulcerated", None, False),
    ],
)
def test_the_number_of_lesions_is_read_behind_them_and_as_a_lower_limit(
    text: str, count: int | None, or_more: bool
) -> None:
    assert (lesion(text).count, lesion(text).multiple) == (count, or_more)


def test_what_was_complained_of_is_what_was_found() -> None:
    text = "c/o R elbow lump for 3 months. O/E rock hard nodule R olecranon."
    assert [m.onset is not None for m in ENGINE.read(text).lesions] == [True, True]
    elsewhere = "c/o L knee lump for 3 months. O/E rock hard nodule R olecranon."
    assert [m.onset is not None for m in ENGINE.read(elsewhere).lesions] == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "Hard nodules of the extremities",
        "Nódulos duros en las extremidades",
        "Nódulos duros nos membros",
        "Nodules durs des membres",
        "Harte Knoten an den Extremitäten",
    ],
)
def test_limbs_are_a_site(text: str) -> None:
    assert [s.region for s in lesion(text).sites] == ["limb"]


@pytest.mark.parametrize(
    "text",
    [
        "scleroderma-like skin changes",
        "lupus-like syndrome",
        "Unspecified juvenile rheumatoid arthritis, right elbow",
        "Artritis reumatoide juvenil",
        "Juvenile chronische Polyarthritis",
        "Sklerodermieartige Hautveränderungen",
        "polyarthrite rhumatoïde juvénile",
    ],
)
def test_what_only_resembles_a_disease_is_not_the_disease(text: str) -> None:
    assert [c.concept for c in ENGINE.read(text).concepts if c.concept.startswith("ctd.")] == []


@pytest.mark.parametrize(
    "title",
    [
        "Lokalisierte Schwellung, Raumforderung und Knoten der Haut und der Unterhaut an den oberen Extremitäten",
        "Tumefacción, masa o prominencia localizada en miembro superior",
        "Tumefação, massa ou tumoração localizada, membro superior",
        "Tuméfaction, masse et nodule localisés du membre supérieur",
        "Localized swelling, mass and lump, upper limb",
    ],
)
def test_the_title_of_a_bare_code_is_bare_in_every_language(title: str) -> None:
    assert {m.bare for m in ENGINE.read(title, kind="condition").lesions} == {True}


@pytest.mark.parametrize(
    ("text", "draining"),
    [
        ("Hard nodule of the thumb, chalky discharge", True),
        ("Hard nodule of the thumb extruding chalky material; no exudate", False),
        ("Hard nodule of the thumb, chalky extrusion, no exudate before, but now draining pus", True),
        ("Hard nodule of the thumb, no discharge", False),
    ],
)
def test_chalk_from_a_dry_lesion_is_no_discharge(text: str, draining: bool) -> None:
    assert lesion(text).draining is draining


@pytest.mark.parametrize(
    "text",
    [
        "Hard nodule of the elbow. Necrotic fingertips.",
        "Nódulo duro en codo. Necrosis de la punta del dedo índice.",
        "Nodule dur du coude. Nécrose pulpaire du pouce.",
        "Harter Knoten am Ellenbogen. Kritische Fingerischämie.",
        "Nódulo duro no cotovelo. Necrose da ponta do dedo.",
    ],
)
def test_a_dying_fingertip_is_digital_ischaemia_in_every_language(text: str) -> None:
    found = {c.concept for c in ENGINE.read(text).concepts if c.status == "affirmed"}
    assert "trigger.digital_ischaemia" in found


def test_what_suppurates_holds_pus_and_a_calcified_lump_is_palpable() -> None:
    assert lesion("Nódulo duro en codo izquierdo que supura").pus
    assert not lesion("Nódulo duro en codo izquierdo, no supura").pus
    assert lesion("Hard ulcerated plaque of the shin with surrounding cellulitis").spreading_erythema
    lump = lesion("Hard calcified lump of the right breast")
    assert (lump.kind, lump.hardness, [s.place for s in lump.sites]) == ("lump", "definite", ["breast"])


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("V.a. Dermatomyositis", "possible"),
        ("V. a. SLE", "possible"),
        ("V.a. systemischer Lupus erythematodes", "possible"),
        ("susp. SLE", "possible"),
        ("Sosp. LES", "possible"),
        ("LES descartado", "negated"),
        ("Dermatomiosite descartada", "negated"),
        ("fragl. SLE", "possible"),
        ("SLE-Verdacht", "possible"),
        ("SLE (V.a.)", "possible"),
        ("Ausschl. SLE", "possible"),
        ("Ausgeschlossener SLE", "negated"),
        ("prob. SLE", "possible"),
        ("SLE (rule out)", "possible"),
        ("SLE (suspected)", "possible"),
        ("SLE excluded", "negated"),
        ("Sospecha LES", "possible"),
        ("LES (provável)", "possible"),
        ("Suspicion lupus", "possible"),
        ("SLE, TIA 2019", "affirmed"),
        ("SLE, infection excluded", "affirmed"),
        ("SLE, Verdacht auf Nephritis", "affirmed"),
        ("Dermatomiosite, possível neoplasia", "affirmed"),
        ("SLE, AMI 2019", "affirmed"),
        ("tia com LES", "family"),
        ("AF: LES", "family"),
        ("LES", "affirmed"),
        ("Lupus a lo largo", "affirmed"),
    ],
)
def test_a_title_too_short_to_tell_its_language_keeps_its_doubt(title: str, status: str) -> None:
    found = {m.status for m in ENGINE.read(title, kind="condition").concepts if m.concept.startswith("ctd.")}
    assert found == {status}


@pytest.mark.parametrize(
    "text",
    [
        "New: rock-hard subcut. nodules both thighs.",
        "Mult. rock-hard dist. forearm nodules.",
        "Nódulos pétreos, múlt. subcut. en muslos.",
        "Nódulos pétreos subcut. nas coxas.",
        "Nodules pierreux sous-cut. des cuisses.",
        "Steinharte subk. Knoten an beiden Oberschenkeln.",
    ],
)
def test_a_short_word_with_its_point_ends_no_sentence(text: str) -> None:
    (lesion,) = ENGINE.read(text).lesions
    assert lesion.hardness == "definite" and lesion.sites


@pytest.mark.parametrize(
    "text",
    [
        "Bumps that feel like rocks on her knees.",
        "Nodules like stones on the elbows.",
        "Kiesartige Verhärtungen an den Fingern.",
        "Kalkstippchen an den Fingerkuppen.",
    ],
)
def test_what_is_like_stones_is_hard(text: str) -> None:
    (lesion,) = ENGINE.read(text).lesions
    assert lesion.hardness == "definite" and lesion.sites
