"""Letters that are a disease in one line and a measurement in the next, lengths of time nobody counted, ECGs told by
their rhythm, and the kidney's unit with a decimal comma."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.dates import PartialDate
from mappings.reader.beginnings import started
from mappings.text.engine import TextEngine
from mappings.text.reading import LabMention

ENGINE = TextEngine.load()


def diseases(text: str) -> set[str]:
    return {m.concept for m in ENGINE.read(text).concepts if m.concept.startswith("ctd.")}


def lab(text: str, analyte: str) -> LabMention | None:
    return next((m for m in ENGINE.read(text).labs if m.analyte == analyte), None)


@pytest.mark.parametrize(
    "text",
    [
        "Vitals: T 36.8, HR 72, BP 120/70, SpO2 97% RA. Hard nodule right elbow.",
        "O2 sat 98% on RA, BP 120/80",
        "SpO2 98% (RA)",
        "sat 95 on RA",
        "O2 Device: RA",
        "Inhaled oxygen flow rate: RA",
        "Comfortable on RA, weaned to RA overnight.",
        "RA pressure 8 mmHg, RA mildly dilated",
        "Echo: LA and RA normal in size.",
        "SpO2 97 % RA. RA-Druck 5 mmHg. Die Patientin ist wach.",
        "ECG : rythme sinusal, PR à 160 ms, chez cette patiente",
        "ECG : espace PR normal, la patiente va bien",
        "AR: MV presente bilateralmente, o doente está bem",
        "AR: murmullo vesicular conservado en la paciente",
        "Manometría: LES hipotenso en la paciente",
        "Neck: no cervical LN. Axillary LN 2 cm.",
        "eGFR (CKD-EPI 2021) 88 mL/min",
        "EKG 12 LEAD",
        "Sjogren's Anti-SS-A <0.2 AI",
        "RA Latex Turbid. 10.2 IU/mL",
        "anti-Sjogren's antibodies positive",
        "Lupus anticoag 30 sec",
        "SLE panel ordered",
        "Scleroderma screening",
        "LEAD, BLOOD (VENOUS)",
        "PACEMAKER LEAD REVISION",
        "GERD with incompetent LES",
        "The lower esophageal sphincter (LES) relaxes normally.",
        "LES tone was reduced.",
        "Manometry: absent contractility, hypotensive LES",
        "Echo: mild AR, trace MR, EF 60%.",
        "Severe AR s/p AVR",
        "AR, moderate",
        "Mild PR",
        "Red LED therapy for acne, LED light 633 nm",
        "5% dextrose, then PSS 500 ml",
    ],
)
def test_letters_that_measure_are_no_disease(text: str) -> None:
    assert diseases(text) == set()


@pytest.mark.parametrize(
    ("text", "disease"),
    [
        ("65F with RA on MTX. SpO2 98% RA.", "ctd.ra"),
        ("RA", "ctd.ra"),
        ("Hx RA. O2 sat 98%", "ctd.ra"),
        ("pt with RA, 10 mg prednisone", "ctd.ra"),
        ("PR depuis 2010 sous méthotrexate, la patiente est bien", "ctd.ra"),
        ("LES", "ctd.sle"),
        ("LEAD depuis 2010", "ctd.sle"),
        ("ATCD : LEAD, HTA", "ctd.sle"),
        ("SLE, antibodies pending", "ctd.sle"),
        ("SLE: antibodies positive", "ctd.sle"),
        ("SLE for 2.5 years", "ctd.sle"),
        ("SLE 2.5 years", "ctd.sle"),
        ("LES con anticuerpos anti-DNA", "ctd.sle"),
        ("LES et SAPL", "ctd.sle"),
        ("LES, HTA, ERGE", "ctd.sle"),
        ("Paciente con LES y AR", "ctd.sle"),
        ("AR seropositiva severa", "ctd.ra"),
        ("PR sévère, LED", "ctd.ra"),
        ("AR desde 2010 con metotrexato en la paciente", "ctd.ra"),
        ("SLE with LN class IV on MMF", "ctd.lupus_nephritis"),
        ("NL clase III", "ctd.lupus_nephritis"),
    ],
)
def test_the_same_letters_are_a_disease_where_nothing_is_measured(text: str, disease: str) -> None:
    assert disease in diseases(text)


def test_the_name_of_a_formula_is_no_kidney_disease() -> None:
    assert not ENGINE.read("eGFR (CKD-EPI 2021) 88 mL/min/1.73m2").concepts


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Biologie : albumine 41 g/L. DFG 28 ml/min/1,73 m².", "28"),
        ("FGe (CKD-EPI) 28 ml/min/1,73 m2, PTH 114 pg/ml.", "28"),
        ("FG 28 ml/min", "28"),
        ("eGFR (CKD-EPI 2021) 28 mL/min/1.73m2", "28"),
        ("GFR nach CKD-EPI 33 ml/min/1,73qm", "33"),
        ("TFG (CKD-EPI 2021): 41 mL/min/1,73 m²", "41"),
    ],
)
def test_a_filtration_rate_is_read_with_a_decimal_comma_in_its_unit_and_behind_its_formula(
    text: str, value: str
) -> None:
    from mappings.units import load_units
    from mappings.values import parse_quantity

    found = lab(text, "egfr")
    assert found is not None and found.value == Decimal(value)
    assert parse_quantity(f"{found.value} {found.unit}", load_units()) is not None


@pytest.mark.parametrize(
    "text",
    [
        "ECG: normal sinus rhythm.",
        "ECG 5/20: sinus rhythm 72/min, no ST changes.",
        "EKG vom 20.05.2026: Sinusrhythmus, unauffällig.",
        "ECG: ritmo sinusal a 70 lpm, sin alteraciones de la repolarización.",
        "ECG: ritmo sinusal, sem alterações",
        "ECG du jour : rythme sinusal, PR 150 ms.",
    ],
)
def test_an_ecg_told_by_its_rhythm_was_done(text: str) -> None:
    found = lab(text, "ecg")
    assert found is not None and found.status == "affirmed"


@pytest.mark.parametrize(
    "text",
    [
        "ECG ordered to confirm sinus rhythm",
        "ECG to be done before diltiazem, need sinus rhythm",
        "No ECG on file. HS normal, SR.",
        "ECG if not in sinus rhythm",
        "Plan: ECG. Sinus rhythm to be confirmed.",
    ],
)
def test_an_ecg_that_is_only_planned_was_not_done(text: str) -> None:
    assert lab(text, "ecg") is None


def test_an_interval_counts_with_its_unit_in_french_and_german() -> None:
    for text in ("ECG : PR 260 ms chez la patiente", "EKG: PQ 260 ms der Patientin"):
        found = lab(text, "pr-interval")
        assert found is not None and found.value == 260, text


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Hard nodule right elbow for a few weeks.", "week"),
        ("Hard nodule right elbow for several months.", "month"),
        ("Nódulo duro en codo derecho desde hace unas semanas.", "week"),
        ("Nódulo duro no cotovelo direito há algumas semanas.", "week"),
        ("Nodule dur du coude droit depuis quelques semaines.", "week"),
        ("Nodule dur du coude droit apparu ces derniers mois.", "month"),
        ("Harter Knoten rechter Ellenbogen seit ein paar Wochen.", "week"),
        ("Harter Knoten rechter Ellenbogen seit mehreren Monaten.", "month"),
    ],
)
def test_a_length_that_nobody_counted_is_an_onset_within_limits_and_no_number_of_lesions(text: str, unit: str) -> None:
    (lesion,) = ENGINE.read(text).lesions
    assert lesion.onset is not None and (lesion.onset.unit, lesion.onset.amount, lesion.onset.up_to) == (unit, 2, 11)
    assert not lesion.multiple
    begun = started(lesion.onset, PartialDate.parse("2026-05-31"))
    assert begun is not None and begun.earliest < begun.latest


@pytest.mark.parametrize(
    "text", ["Hard nodule R elbow. Review in a few weeks.", "Nódulo duro en codo derecho, control en unas semanas."]
)
def test_a_length_ahead_is_no_onset(text: str) -> None:
    assert ENGINE.read(text).lesions[0].onset is None


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Several hard nodules right elbow for several weeks.", None),
        ("Ein paar harte Knoten am Ellenbogen.", None),
        ("Hard nodules of both elbows (two lesions, 8 and 11 mm).", 2),
        ("Nódulos duros en codo derecho (tres lesiones).", 3),
        ("Nodules durs du coude droit (trois lésions).", 3),
        ("Harte Knoten am rechten Ellenbogen (drei Läsionen).", 3),
        ("Nódulos duros nos cotovelos (duas lesões, 8 e 11 mm).", 2),
        ("Hard nodules of the elbow (3 lesions, now 8)", None),
    ],
)
def test_lesions_are_counted_behind_their_name(text: str, count: int | None) -> None:
    assert ENGINE.read(text).lesions[0].count == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Befund: einzelner, weißlicher, steinharter Knoten am Daumen.", 1),
        ("Single, hard, white nodules of the thumb.", 1),
        ("R elbow - 4 small firm nodules, some with a white surface", 4),
        ("57 F, hard nodules of the right thumb.", None),
    ],
)
def test_a_number_holds_over_describing_words_and_what_is_said_of_some(text: str, count: int | None) -> None:
    (lesion,) = ENGINE.read(text).lesions
    assert lesion.count == count and not lesion.multiple


@pytest.mark.parametrize(
    ("text", "value"), [("TA 13/8", "130"), ("PA 12x8", "120"), ("TA 8/5", "80"), ("TA 13,5/8", "135")]
)
def test_a_pressure_in_centimetres_of_mercury_is_read(text: str, value: str) -> None:
    from mappings.units import load_units
    from mappings.values import parse_quantity, to_canonical

    found = lab(text, "systolic")
    table = load_units()
    assert found is not None
    quantity = parse_quantity(f"{found.value} {found.unit}", table)
    assert quantity is not None and to_canonical(quantity, table.analytes["systolic"], None).low == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "Subcutaneous nodule. Single, rock hard, 2 cm, present about 4 months.",
        "Nódulo subcutáneo. Duro, 2 cm, 4 meses.",
        "c/o lump for 4 months. O/E hard nodule R elbow.",
        "Anamnese: seit ca. 4 Monaten Verhärtungen. Befund: steinharte Knoten an beiden Ellenbogen.",
        "Consulte pour des grosseurs depuis 4 mois. Examen : nodules durs des coudes.",
    ],
)
def test_a_time_told_beside_the_size_or_of_the_complaint_is_that_of_the_lesion(text: str) -> None:
    found = ENGINE.read(text).lesions[-1]
    assert found.onset is not None and (found.onset.amount, found.onset.unit) == (4, "month")


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("2:1 AV block documented on Holter.", "trigger.av_block_high_grade"),
        ("Bloqueo AV 2:1 en el Holter de la paciente", "trigger.av_block_high_grade"),
        ("Bloqueio AV 2:1 no Holter do doente", "trigger.av_block_high_grade"),
        ("BAV 2/1 au Holter de la patiente", "trigger.av_block_high_grade"),
        ("AV-Block 2:1 im Holter", "trigger.av_block_high_grade"),
        ("Sinus pauses up to 4 s on Holter.", "trigger.sick_sinus"),
        ("Pausas sinusales de 4 s en el Holter de la paciente", "trigger.sick_sinus"),
        ("Sinuspausen bis 4 s", "trigger.sick_sinus"),
        # findings of sinus node dysfunction (aafp.org/afp/2021/0800/p179.html)
        ("Bradyarrhythmia with pauses", "trigger.sick_sinus"),
        ("Chronotropic incompetence on treadmill test.", "trigger.sick_sinus"),
        ("Sinoatrial exit block", "trigger.sick_sinus"),
        ("Bradiarritmia con pausas en el Holter de la paciente", "trigger.sick_sinus"),
        ("Incompetencia cronotropa", "trigger.sick_sinus"),
        ("Bradiarritmia com pausas no Holter do doente", "trigger.sick_sinus"),
        ("Incompetência cronotrópica", "trigger.sick_sinus"),
        ("Bradyarythmie avec pauses au Holter de la patiente", "trigger.sick_sinus"),
        ("Incompétence chronotrope", "trigger.sick_sinus"),
        ("Bradyarrhythmia absoluta mit Pausen bis 3 s", "trigger.sick_sinus"),
        ("Chronotrope Inkompetenz", "trigger.sick_sinus"),
    ],
)
def test_a_block_told_by_its_ratio_and_what_a_sick_sinus_does_are_read(text: str, concept: str) -> None:
    assert concept in {m.concept for m in ENGINE.read(text).concepts if m.status == "affirmed"}


@pytest.mark.parametrize(
    "text",
    ["No bradyarrhythmia with pauses.", "Sin incompetencia cronotropa.", "Pauses while speaking.", "Mild bradycardia."],
)
def test_a_sick_sinus_that_is_denied_or_not_told_is_none(text: str) -> None:
    assert not [m for m in ENGINE.read(text).concepts if m.concept == "trigger.sick_sinus" and m.status == "affirmed"]


@pytest.mark.parametrize(
    "text",
    [
        "Two rice-grain-like hard particles in the pulp of the index finger.",
        "Plattenartige, steinharte Infiltrate an Bauch und Flanken.",
        "Partículas pétreas en el pulpejo del dedo índice.",
    ],
)
def test_a_hard_thing_of_any_name_at_a_place_of_the_body_is_a_lesion(text: str) -> None:
    assert ENGINE.read(text).lesions[0].hardness == "definite"


@pytest.mark.parametrize(
    "text", ["Chest CT: patchy infiltrates in both lungs.", "Pulmonale Infiltrate beidseits im CT.", "Hard copy sent."]
)
def test_an_infiltrate_of_the_lung_is_none(text: str) -> None:
    assert not ENGINE.read(text).lesions


@pytest.mark.parametrize(("text", "porphyria"), [
    ("CRP 3, PCT 0.1", False), ("PCT 0,05 µg/l", False), ("CRP <5, PCT negativ", False), ("Hx PCT, phlebotomy", True),
    ("PCT seit 2010", True),
])  # fmt: skip
def test_pct_among_blood_values_is_procalcitonin(text: str, porphyria: bool) -> None:
    assert any(m.concept == "exclude.pct" for m in ENGINE.read(text).concepts) == porphyria
