"""Two results of one test in one sentence: which one speaks of today."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


def told(text: str) -> list[str]:
    labs = ENGINE.read(text).labs
    return [f"{m.word or m.value}{'@' + m.date_text if m.date_text else ''}" for m in labs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Calcium was 2.41 mmol/L in January and is now 2.79 mmol/L (2.20-2.60), repeated and confirmed.", ["2.79"]),
        ("Calcium 2.41 mmol/L in January, 2.79 mmol/L today.", ["2.79"]),
        ("Calcium 11.0 mg/dL in March, now 9.4 mg/dL.", ["9.4"]),
        ("Calcium previously 9.4 mg/dL, now 11.4 mg/dL.", ["11.4"]),
        ("Calcium was normal in January but is now high.", ["high"]),
        ("Calcium was normal in January but is now 11.4 mg/dL.", ["11.4"]),
        ("Calcio 9,4 mg/dl en enero y actualmente 11,2 mg/dl (8,5-10,5).", ["11.2"]),
        ("Calcémie à 2,40 mmol/L en janvier, 2,81 mmol/L ce jour (2,20-2,60).", ["2.81"]),
        ("Kalzium im Januar 2,40 mmol/l, aktuell 2,81 mmol/l (2,20-2,60).", ["2.81"]),
        ("Cálcio era 9,2 mg/dL em janeiro e agora 11,3 mg/dL (8,6-10,2).", ["11.3"]),
        ("eGFR was 62 in January and is now 27.", ["27"]),
        ("LVEF 55% in 2021, now 30%.", ["30"]),
        ("eGFR 88 (01/2025), 27 (05/2026)", ["88@2025-01", "27@2026-05"]),
        ("Calcemia 9,5 mg/dl en la analítica de febrero; en la de esta semana 11,4 mg/dl (8,5-10,5).", ["11.4"]),
        ("Pulse, 76 last week, is down at 43 today.", ["43"]),
        ("Pulse was 76 last week and is 43 today.", ["43"]),
        ("Heart rate 43 today, compared with 76 last week.", ["43"]),
        ("Pulse 43 today, 76 last week.", ["43"]),
        ("Puls heute 43, letzte Woche 76.", ["43"]),
        ("FC hoy 43, la semana pasada 76.", ["43"]),
        ("FC hoje 43, na semana passada 76.", ["43"]),
        ("FC 43 ce jour, 76 la semaine dernière.", ["43"]),
        ("eGFR 26 today against 88 in January.", ["26"]),
        ("eGFR 26 today, 88 a year ago.", ["26"]),
        ("Calcium 2.9 mmol/L now versus 2.3 mmol/L in January.", ["2.9"]),
        ("PR interval today 260 ms, in 2020 160 ms.", ["260"]),
        ("BP 120/80 last week and 82/50 today.", ["82"]),
        ("BP 82/50 today, usually 120/80.", ["82"]),
        ("Usual BP 120/80, today 82/50.", ["82"]),
        ("RR heute 82/50, sonst 120/80.", ["82"]),
        ("Calcium 2.84 mmol/L last autumn; this week 2.36 mmol/L (2.20-2.60).", ["2.36"]),
    ],
)
def test_the_result_of_now_counts(text: str, expected: list[str]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Calcium normal in November, high in May.", ["normal", "high"]),
        ("Calcium normal then high", ["normal", "high"]),
        ("Serum calcium normal on admission but raised at discharge.", ["normal", "high"]),
        ("Calcium 2.41 mmol/L in November, high in May.", ["2.41", "high"]),
        ("Calcio normal al ingreso, elevado al alta.", ["normal", "high"]),
        ("Calcio normal en noviembre, elevado en mayo.", ["normal", "high"]),
        ("Cálcio normal em novembro, elevado em maio.", ["normal", "high"]),
        ("Calcium normal en novembre, élevé en mai.", ["normal", "high"]),
        ("Kalzium normal, im Verlauf erhöht.", ["normal", "high"]),
        ("Calcium normal, elevated CK.", ["normal"]),
        ("Calcium normal but high cholesterol.", ["normal"]),
        ("Calcium normal (previously high).", ["normal"]),
        ("Calcium 2.41 mmol/L, low mood.", ["2.41"]),
        ("normal calcium, high calcium diet", ["normal"]),
    ],
)
def test_a_later_word_takes_a_normal_result_back(text: str, expected: list[str]) -> None:
    assert [m.word or str(m.value) for m in ENGINE.read(text).labs if m.analyte.startswith("calcium")] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ca 2.41 -> 2.79 mmol/L.", ["2.41", "2.79"]),
        ("Last calcium 2.41 mmol/L, repeat 2.79 mmol/L.", ["2.41", "2.79"]),
        ("Calcium 2.79 mmol/L now normal", ["2.79", "normal"]),
        ("Calcium 2.41 mmol/L on admission, 2.79 mmol/L at discharge.", ["2.41", "2.79"]),
        ("Calcium 2.41 then 2.79 mmol/L.", ["2.41", "2.79"]),
        ("Calcium 2.3 mmol/L last year and 2.9 mmol/L last week.", ["2.3", "2.9"]),
        ("Pulse 76 on Monday and 43 on Friday.", ["76", "43"]),
        ("Calcium 9.4 mg/dL in March and 11.4 mg/dL in May.", ["9.4", "11.4"]),
        ("Calcio al ingreso 9,4 mg/dl, al alta 11,4 mg/dl.", ["9.4", "11.4"]),
        ("Calcémie 2,41 mmol/L à l'entrée puis 2,79 mmol/L.", ["2.41", "2.79"]),
        ("Kalzium initial 2,41 mmol/l, im Verlauf 2,79 mmol/l.", ["2.41", "2.79"]),
    ],
)
def test_two_results_without_their_times_both_count(text: str, expected: list[str]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Calcium 9.4 mg/dL today, repeat in 3 months.",
        "Calcium 9.4 mg/dL, now on prednisone 5 mg.",
        "Calcium 9.4 mg/dL; weight now 60 kg.",
        "Ca 9.4 mg/dL, nodule now 3 cm.",
        "Calcium 9.4 mg/dL (8.6-10.2), recheck now and in 6 weeks.",
        "Calcium 9.4 mg/dL, previously 11.0.",
        "Calcium 9.4 mg/dL, triglycerides 220 mg/dL.",
        "Calcium 9.4 mg/dL 8.6-10.2 then repeat.",
        "Calcium 9.4 mg/dL in March, later 3 nodules.",
        "Calcium 9,4 mg/dl, Kontrolle in 3 Monaten",
    ],
)
def test_another_number_of_now_is_no_result(text: str) -> None:
    assert told(text) == ["9.4"]


@pytest.mark.parametrize(
    "text",
    [
        "Calcium 9.4 mg/dL (8.6-10.2) in November.",
        "Calcium normal in November.",
        "In November, her calcium was 9.4 mg/dL.",
        "November labs: Ca 9.4 mg/dL.",
        "Ca 9,4 mg/dl en noviembre.",
        "Calcémie normale en novembre.",
        "Cálcio 9,4 mg/dL em novembro (VR 8,6-10,2).",
    ],
)
def test_a_month_without_its_year_is_that_of_the_result(text: str) -> None:
    assert [m.month for m in ENGINE.read(text).labs] == ["11"]


@pytest.mark.parametrize(
    "text",
    [
        "Nodules since January, calcium 9.4 mg/dL.",
        "Calcium 9.4 mg/dL, nodules since January.",
        "Calcium 9.4 mg/dL, recheck in June.",
        "Calcium 9.4 mg/dL on 12 November 2025.",
        "Calcium 9.4 mg/dL may be repeated.",
    ],
)
def test_a_month_of_something_else(text: str) -> None:
    assert [m.month for m in ENGINE.read(text).labs] == [None]


@pytest.mark.parametrize(
    ("language", "text", "analyte", "word"),
    [
        ("en", "Calcium of 26 May was normal.", "calcium-total", "normal"),
        ("en", "Calcium (26 May) normal.", "calcium-total", "normal"),
        ("en", "The pregnancy test of 26 May was negative.", "pregnancy-test", "negative"),
        ("de", "Das Kalzium vom 26. Mai war normal.", "calcium-total", "normal"),
        ("es", "El calcio del 26 de mayo fue normal.", "calcium-total", "normal"),
        ("fr", "La calcémie du 26 mai était normale.", "calcium-total", "normal"),
        ("pt", "O cálcio de 26 de maio foi normal.", "calcium-total", "normal"),
    ],
)
def test_a_day_between_a_test_and_its_word_is_no_figure(language: str, text: str, analyte: str, word: str) -> None:
    (lab,) = ENGINE.read(text, language=language).labs
    assert (lab.analyte, lab.word, lab.value, lab.month) == (analyte, word, None, "05-26")


@pytest.mark.parametrize(
    ("text", "date", "month"),
    [
        ("Calcium on 26 May 2024 was normal.", "2024-05-26", None),
        ("Das Kalzium vom 26. Mai 2024 war normal.", "2024-05-26", None),
        ("Calcium in May was normal.", None, "05"),
        ("Pregnancy test in January was negative.", None, "01"),
        ("Schwangerschaftstest im Januar negativ.", None, "01"),
    ],
)
def test_a_result_in_words_has_the_time_before_it(text: str, date: str | None, month: str | None) -> None:
    (lab,) = ENGINE.read(text).labs
    assert (lab.date_text, lab.month) == (date, month)


@pytest.mark.parametrize("text", ["hCG negative last year.", "HBsAg negative two years ago.", "CK was high years ago."])
def test_no_test_of_long_ago_is_one_of_the_day_of_the_note(text: str) -> None:
    assert [m.undated for m in ENGINE.read(text).labs] == [True]


@pytest.mark.parametrize(("text", "figure"), [("eGFR 26 May.", "26"), ("eGFR was 26 in May.", "26")])
def test_a_figure_before_a_month_is_the_result(text: str, figure: str) -> None:
    assert told(text) == [figure]
