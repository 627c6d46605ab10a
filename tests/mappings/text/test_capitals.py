"""Notes all in capitals: an abbreviation before a figure with its unit is a test there too."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "en",
            "HARD MASS WITH NUMBNESS OF THE THUMB. CA 9.3 MG/DL (8.6-10.2), PHOSPHORUS 2.9 MG/DL.",
            "calcium-total 9.3",
        ),
        ("es", "VENTRÍCULO DILATADO CON HIPOCINESIA GLOBAL, FEVI 32%.", "ejection-fraction 32"),
        ("fr", "VENTRICULE DILATÉ, HYPOKINÉSIE GLOBALE, FEVG 34 % EN SIMPSON BIPLAN.", "ejection-fraction 34"),
        ("es", "TA 112/64, FC 44 LPM, AFEBRIL, PACIENTE TRANQUILA EN REPOSO.", "heart-rate 44"),
        ("de", "NEU AUFGETRETENE HARTE KNOTEN. LABOR: CA 2,38 MMOL/L (2,15-2,55).", "calcium-total 2.38"),
    ],
)
def test_a_test_in_capitals_is_read(language: str, text: str, expected: str) -> None:
    assert expected in {f"{m.analyte} {m.value}" for m in ENGINE.read(text, language=language).labs}


@pytest.mark.parametrize(
    "text",
    [
        "PATIENT HAS BREAST CA 2 YEARS AGO AND RECEIVED TREATMENT.",
        "TUMOUR MARKERS: CA 125 35 U/ML AND CA 19-9 12 U/ML NORMAL.",
        "PATIENT WITH PROSTATE CA AND HARD NODULES OF BOTH ELBOWS.",
    ],
)
def test_a_cancer_in_capitals_is_no_calcium(text: str) -> None:
    assert ENGINE.read(text, language="en").labs == ()
