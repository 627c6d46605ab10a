"""Results in words: what was measured as normal, and what is only told of the patient."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


def words(text: str) -> list[tuple[str, str | None, str]]:
    return [(lab.analyte, lab.word, lab.status) for lab in ENGINE.read(text).labs]


@pytest.mark.parametrize(
    "text", ["There was no abnormality of calcium.", "Calcium within normal limits.", "No abnormality in serum calcium"]
)
def test_a_denied_abnormality_of_a_result_is_a_normal_result(text: str) -> None:
    assert words(text) == [("calcium-total", "normal", "affirmed")]


@pytest.mark.parametrize(
    "text",
    [
        "No history of disorder of calcium metabolism.",
        "Denies any disorder of calcium metabolism.",
        "Pas de trouble du métabolisme du calcium.",
        "Keine Störung des Calciumstoffwechsels.",
    ],
)
def test_a_denied_disorder_is_no_measurement(text: str) -> None:
    assert words(text) == []


def test_a_disorder_is_no_normal_result() -> None:
    assert words("Disorder of calcium metabolism") == [("calcium-total", "abnormal", "affirmed")]


def numbers(text: str) -> list[str]:
    return [f"{lab.analyte} {lab.value} {lab.unit}" for lab in ENGINE.read(text).labs]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Calcium, Serum: 9.2 mg/dL", "calcium-total 9.2 mg/dL"),
        ("Calcium (serum) 9.2 mg/dL", "calcium-total 9.2 mg/dL"),
        ("Calcium, total 9.2 mg/dL", "calcium-total 9.2 mg/dL"),
        ("Calcium - Total 9.2 mg/dL", "calcium-total 9.2 mg/dL"),
        ("Calcium (mg/dL): 9.2", "calcium-total 9.2 mg/dL"),
        ("Calcium [mmol/L] 2.31", "calcium-total 2.31 mmol/L"),
        ("calcium was found to be 9.2 mg/dL", "calcium-total 9.2 mg/dL"),
        ("Calcium, Ionized, Serum 1.20 mmol/L", "calcium-ionized 1.20 mmol/L"),
        ("Calcium corr. 2.31 mmol/L", "calcium-adjusted 2.31 mmol/L"),
        ("Calcium i.S. 2,38 mmol/l", "calcium-total 2.38 mmol/l"),
        ("Kalzium gesamt i.S. 2,38 mmol/l", "calcium-total 2.38 mmol/l"),
        ("calcio en suero 9,2 mg/dl", "calcium-total 9.2 mg/dl"),
        ("cálcio sérico total de 9,2 mg/dL", "calcium-total 9.2 mg/dL"),
        ("Ca2+ ionisé 1,20 mmol/L", "calcium-ionized 1.20 mmol/L"),
        ("PTH intact 45 pg/mL", "pth 45 pg/mL"),
        ("GFR (CKD-EPI) 92 ml/min", "egfr 92 ml/min"),
        ("25(OH)D 31 ng/mL", "vitamin-d-25-oh 31 ng/mL"),
    ],
)
def test_what_a_laboratory_sets_behind_the_name(text: str, found: str) -> None:
    assert numbers(text) == [found]


@pytest.mark.parametrize(
    "text",
    [
        "Calcium, Urine 9.2 mg/dL",
        "Calcium im Urin 2,3 mmol/l",
        "calcio en orina 9,2 mg/dl",
        "Calcium, total protein 7.2 g/dL",
        "Calcium, plasma glucose 92 mg/dL",
    ],
)
def test_what_else_may_stand_there_is_no_calcium_of_the_serum(text: str) -> None:
    assert numbers(text) == []


@pytest.mark.parametrize("text", ["Calcium, serum: normal", "Calcium (serum) normal", "Calcium i.S. normal"])
def test_a_word_behind_it(text: str) -> None:
    assert words(text) == [("calcium-total", "normal", "affirmed")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "Serum calcium and phosphate were 9.2 (8.5-10.5) and 3.4 (2.5-4.5) mg/dL, respectively.",
            ["calcium-total 9.2 mg/dL", "phosphate 3.4 mg/dL"],
        ),
        (
            "Calcium, phosphate and PTH were 2.31 mmol/L, 1.10 mmol/L and 4.5 pmol/L.",
            ["calcium-total 2.31 mmol/L", "phosphate 1.10 mmol/L", "pth 4.5 pmol/L"],
        ),
        ("Ca and P 9.2 and 3.4 mg/dL", ["calcium-total 9.2 mg/dL", "phosphate 3.4 mg/dL"]),
        ("Ca/PO4 9.2/3.4 mg/dL", ["calcium-total 9.2 mg/dL", "phosphate 3.4 mg/dL"]),
        (
            "calcium and phosphate on 12/05/2026 were 2.31 and 1.1 mmol/L",
            ["calcium-total 2.31 mmol/L", "phosphate 1.1 mmol/L"],
        ),
        ("Calcio y fósforo de 9,2 y 3,4 mg/dl", ["calcium-total 9.2 mg/dl", "phosphate 3.4 mg/dl"]),
        ("Ca and P 9.2 mg/dL and 3.4 mg/dL and 24", []),
        ("calcium, phosphate 3.4 mg/dL", ["phosphate 3.4 mg/dL"]),
    ],
)
def test_tests_in_one_row_and_their_numbers_in_another(text: str, found: list[str]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Palisading granuloma. Von Kossa stain negative for calcium.",
        "Alizarin red positive for calcium.",
        "Negative for urate.",
        "Calcium level negative.",
    ],
)
def test_a_stain_measures_nothing_in_the_blood(text: str) -> None:
    assert words(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Calcium 2.31 (2.20 to 2.60) and phosphate 1.10 (0.80 to 1.50) are normal.",
        "Calcium 2.31 and phosphate 1.10 are normal.",
        "Calcio 9,3 (8,5-10,5) y fósforo 3,4 (2,5-4,5) normales.",
        "Cálcio 9,3 e fósforo 3,4 são normais.",
        "Calcémie 2,31 et phosphorémie 1,1 normales.",
        "Calcium 2,31 und Phosphat 1,1 sind normal.",
    ],
)
def test_numbers_without_a_unit_that_are_called_normal_together(text: str) -> None:
    assert words(text) == [("calcium-total", "normal", "affirmed"), ("phosphate", "normal", "affirmed")]


@pytest.mark.parametrize(
    "text",
    [
        "Calcium 2.91 (2.20 to 2.60) and phosphate 1.10 (0.80 to 1.50) are normal.",
        "Calcium 2.91, creatinine and urea are normal.",
        "Calcium 2.31 and phosphate 1.10 are not normal.",
        "Calcium 2.31 (2.20-2.60), phosphate 1.10 normal.",
        "Calcium 2.31 then normal.",
    ],
)
def test_a_number_outside_its_range_or_of_another_row_is_not_called_normal(text: str) -> None:
    assert ("calcium-total", "normal", "affirmed") not in words(text)


@pytest.mark.parametrize(
    "text",
    [
        "Calcium was normal last year.",
        "Last year calcium was normal.",
        "Previous calcium normal, repeat pending.",
        "Prior labs: Ca 9.4 mg/dL (8.6-10.2).",
        "Ca 9.4 mg/dL (8.6-10.2) three years ago",
        "Calcio normal hace 3 años.",
        "Cálcio normal há 2 anos.",
        "Calcémie normale il y a 2 ans.",
        "Calcium vor 2 Jahren normal.",
        "Im letzten Jahr Calcium normal.",
    ],
)
def test_an_earlier_result_of_no_day_is_none_of_today(text: str) -> None:
    assert all(mention.undated for mention in ENGINE.read(text).labs)


@pytest.mark.parametrize(
    "text",
    [
        "57F with history of SSc, Ca 9.4 mg/dL (8.6-10.2)",
        "H/o SLE, calcium normal.",
        "Hard nodules for 3 years, calcium normal.",
        "Nodules since last year, calcium normal.",
        "Calcium normal, 3-year history of nodules.",
        "Calcium last week normal.",
    ],
)
def test_the_time_of_something_else_is_not_that_of_the_test(text: str) -> None:
    (found,) = [mention for mention in ENGINE.read(text).labs if mention.analyte == "calcium-total"]
    assert not found.undated


@pytest.mark.parametrize(
    "text",
    [
        "CA-125 normal.",
        "CA 15-3 normal, CEA normal.",
        "CA 19-9 12 U/ml, normal.",
        "Normal calcium diet.",
        "Need normal calcium before diltiazem.",
        "Ensure normal calcium first.",
    ],
)
def test_a_tumour_marker_a_diet_and_a_condition_are_no_calcium(text: str) -> None:
    assert not [mention for mention in ENGINE.read(text).labs if mention.analyte.startswith("calcium")]
