"""A result that left one figure and came to another: the later one is today's, in whatever order they are told."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


def told(text: str, language: str) -> list[str]:
    labs = ENGINE.read(text, language=language).labs
    return [f"{m.analyte} {m.word or m.value}{'@' + m.date_text if m.date_text else ''}" for m in labs]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "eGFR fell from 88 to 26 mL/min.", "egfr 26"),
        ("en", "eGFR fell from 88 mL/min to about 26 mL/min.", "egfr 26"),
        ("en", "eGFR has gone from 88 in January to 26 mL/min today.", "egfr 26"),
        ("en", "eGFR 26 mL/min, down from 88.", "egfr 26"),
        ("en", "eGFR of 88 fell to 26 mL/min.", "egfr 26"),
        ("en", "eGFR 88, falling to 26 mL/min by May.", "egfr 26"),
        ("en", "eGFR 88 in 2020, which fell to 26 in 2024.", "egfr 26@2024"),
        ("en", "Calcium increased from 2.3 mmol/L to 2.9 mmol/L.", "calcium-total 2.9"),
        ("en", "Calcium rose from 9.1 mg/dL in 2020 to 11.9 mg/dL.", "calcium-total 11.9"),
        ("en", "Creatinine doubled from 0.9 to 1.8 mg/dL between May and June.", "creatinine 1.8"),
        ("en", "EF fell from 60% to 25%.", "ejection-fraction 25"),
        ("en", "EF 60% dropping to 25%.", "ejection-fraction 25"),
        ("en", "PR lengthened from 160 to 260 ms.", "pr-interval 260"),
        ("en", "Heart rate fell from 76 to 43.", "heart-rate 43"),
        ("en", "BP fell from 120/80 to 82/50.", "systolic 82"),
        ("en", "BP 120/80 falling to 82/50.", "systolic 82"),
        ("en", "Platelets fell from 210 to 43 x10^9/L.", "platelets 43"),
        ("de", "Die eGFR fiel von 88 auf 26 ml/min.", "egfr 26"),
        ("de", "GFR-Abfall von 88 auf 26 ml/min.", "egfr 26"),
        ("de", "Kalzium stieg von 2,3 auf 2,9 mmol/l.", "calcium-total 2.9"),
        ("es", "El FG cayó de 88 a 26 ml/min.", "egfr 26"),
        ("es", "FG 88 que bajó a 26 ml/min.", "egfr 26"),
        ("es", "El calcio pasó de 2,3 mmol/L a 2,9 mmol/L.", "calcium-total 2.9"),
        ("pt", "Queda da TFG de 88 para 26 ml/min.", "egfr 26"),
        ("pt", "O cálcio subiu de 9,1 para 11,9 mg/dL.", "calcium-total 11.9"),
        ("fr", "Baisse du DFG de 88 à 26 ml/min.", "egfr 26"),
        ("fr", "La calcémie est passée de 2,3 à 2,9 mmol/l.", "calcium-total 2.9"),
    ],
)
def test_the_figure_that_a_test_came_to_is_its_result(language: str, text: str, expected: str) -> None:
    assert told(text, language) == [expected]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Calcium 8.6 to 10.2 mg/dL.", []),
        ("en", "Calcium ranged from 8.6 to 10.2 mg/dL.", []),
        ("en", "The reference interval for calcium changed from 8.6 to 10.2 mg/dL.", []),
        ("en", "Calcium from 2020 to 2024 fell.", []),
        ("es", "Calcio de 8,6 a 10,2 mg/dl.", []),
        ("fr", "Calcémie de 2,2 à 2,6 mmol/l.", []),
        ("en", "Calcium 9.4 mg/dL and prednisone increased to 20 mg.", ["calcium-total 9.4"]),
        ("en", "Calcium 9.4, weight down to 60 kg.", ["calcium-total 9.4"]),
        ("en", "eGFR 88, increase to 200 mg.", ["egfr 88"]),
        ("en", "Calcium 9.4 mg/dL, up to date with vaccines.", ["calcium-total 9.4"]),
    ],
)
def test_the_ends_of_a_range_and_what_else_was_raised_are_none(language: str, text: str, expected: list[str]) -> None:
    assert told(text, language) == expected
