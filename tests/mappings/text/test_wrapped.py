"""Notes that a system broke at a line width say the same as before; the lines of a list stay apart."""

from __future__ import annotations

import textwrap

import pytest

from mappings.text.engine import TextEngine
from mappings.text.wrapped import wrapped_breaks

ENGINE = TextEngine.load()
NOTES = {
    "es": "Masas duras en ambas caderas de 3 meses. Hipercalcemia de 11,9 mg/dl (8,6-10,2) con PTH baja. TAC normal.",
    "de": "Haut an Händen und Unterarmen bretthart verdickt, nicht abhebbar, mRSS 18. Tabaksbeutelmund. Keine "
    "umschriebenen Knoten, keine Kalkablagerungen. Kalzium 2,31 mmol/l (2,15-2,55), Phosphat 1,10 mmol/l.",
    "pt": "Menina de 9 anos. Mãe notou há 1 mês e meio bolinhas duras feito pedrinhas embaixo da pele dos joelhos. "
    "Cálcio 9,7 mg/dL (8,8-10,8), fósforo 4,6 mg/dL (3,5-5,5).",
    "fr": "Plaques dures calcifiées des deux cuisses constituées en 2 mois. Calcémie totale 1,98 mmol/L (2,20-2,60), "
    "albuminémie 22 g/L (35-50). Protéinurie 5 g/24 h.",
    "en": "Legs: bilat lat thigh slabs of rock-hard subcut tissue, pt thinks since Jan. No erythema. Bloods today: "
    "adj Ca 2.36 mmol/L (2.20-2.60), PO4 1.21 mmol/L (0.80-1.50), CK 410. No history of AV block.",
}


@pytest.mark.parametrize("width", [60, 66, 72, 80])
@pytest.mark.parametrize("language", NOTES)
def test_a_wrapped_note_is_read_as_the_note(language: str, width: int) -> None:
    note = NOTES[language]
    wrapped = "\n".join(textwrap.wrap(note, width))
    assert wrapped.count("\n") >= 1
    assert ENGINE.read(wrapped, language=language) == ENGINE.read(note, language=language)


@pytest.mark.parametrize(
    "text",
    [
        "Steinharte Knoten am linken Schienbein seit 3 Monaten. Kein\nHinweis auf Kollagenose.",
        "Refere dor em ambas as mãos e nega uso de\nDiltiazem.",
        "Bloods of this morning were taken (calcium and\nPTH normal).",
        "Insuffisance rénale chronique stade 3B, DFG estimé (CKD-EPI)\n32 mL/min/1,73 m², créatininémie 172 µmol/L.",
        "Durchgehend SR, mittlere HF 68/min. Intermittierend AV-Block\nII° Typ Mobitz, nächtlich.",
        "Insuffisance cardiaque à fraction d'éjection altérée, stade\nIII NYHA.",
        "Nodules pierreux des deux avant-bras, apparus en février\n2026.",
        "Hohlhand li.: harter Strang und Knoten Strahl IV, M.\nDupuytren Tubiana I.",
        "Sehr schmerzhafte, steinharte Plaque am Unterbauch, seit 2\nMonaten, Haut intakt.",
        "Neu aufgetretener harter Knoten im linken\nSchilddrüsenlappen, 18 mm.",
        "SERUM CALCIUM WAS MEASURED TWICE THIS MORNING\n"
        "AND WAS WITHIN THE REFERENCE RANGE OF THE\nLABORATORY OF THIS HOSPITAL.",
    ],
)
def test_a_line_that_goes_on_is_joined(text: str) -> None:
    assert wrapped_breaks(text) == {i for i, sign in enumerate(text) if sign == "\n"}


@pytest.mark.parametrize(
    "text",
    [
        "Systemic sclerosis with limited cutaneous involvement\nHypertension\nAtrioventricular block, first degree",
        "Hard nodules: none\nCalcium 9.4 mg/dL",
        "Bekannte Allergien: keine\nHarte Knoten an den Fingern",
        "Metoprolol succinate 50 mg oral tablet once daily\nDiltiazem 60 mg oral capsule twice daily\nWarfarin 5 mg",
        "- nodules of both elbows, which she noticed a month ago and\n- no ulcer",
        "1. systemic sclerosis with calcinosis of the fingers of\n2. hypertension",
        "Systemic sclerosis with limited cutaneous involvement\n2019 first seen by a rheumatologist\n2021 moved here",
        "9.4 mg/dL is what the laboratory told of her calcium\n34 g/L of albumin",
        "Calcium of this morning 9.4 mg/dL and no albumin known\n34 g/L was the last albumin of all",
        "Hard nodules over the extensor surface of the elbows\nII. Raynaud phenomenon since 2019",
        "",
        "one line",
    ],
)
def test_the_lines_of_a_list_stay_apart(text: str) -> None:
    assert wrapped_breaks(text) == set()
