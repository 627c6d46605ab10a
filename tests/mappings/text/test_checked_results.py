"""Results behind a clause that tells when or how often a test was done, those of both sides denied, and the calcium
that was corrected for albumin."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


def told(language: str, text: str) -> list[str]:
    return [f"{m.analyte} {m.word or m.value}" for m in ENGINE.read(text, language=language).labs]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Calcium, checked in March, was normal."),
        ("en", "Calcium, measured on two occasions, was normal."),
        ("en", "Calcium was checked twice, both times normal."),
        ("en", "Serum calcium has normalised."),
        ("en", "There was no evidence of hyper- or hypocalcemia."),
        ("en", "No hypercalcaemia or hypocalcaemia."),
        ("de", "Kalzium, zweimal gemessen, war jeweils normal."),
        ("de", "Das Kalzium hat sich normalisiert."),
        ("de", "Weder Hyper- noch Hypokalzämie."),
        ("de", "Kalzium o.B."),
        ("es", "El calcio, medido en dos ocasiones, fue normal."),
        ("es", "El calcio se ha normalizado."),
        ("es", "Sin hipo ni hipercalcemia."),
        ("pt", "O cálcio, dosado em março, estava normal."),
        ("pt", "O cálcio normalizou."),
        ("pt", "Sem hipo ou hipercalcemia."),
        ("fr", "La calcémie, contrôlée à deux reprises, était normale."),
        ("fr", "La calcémie s'est normalisée."),
        ("fr", "Pas d'hypo- ni d'hypercalcémie."),
    ],
)
def test_calcium_is_normal(language: str, text: str) -> None:
    assert told(language, text) == ["calcium-total normal"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Calcium was not checked, normal examination."),
        ("en", "Calcium, to be checked next week, should be normal."),
        ("en", "Calcium was checked twice, normal exam otherwise."),
        ("en", "Calcium will be repeated, all normal so far."),
        ("en", "Calcium, when checked in March, was normal."),
        ("en", "Calcium, taken daily, normal bowels."),
        ("en", "Calcium has not normalised."),
        ("en", "No hypercalcaemia."),
        ("de", "Kalzium nicht normalisiert."),
    ],
)
def test_nothing_is_known_of_the_calcium(language: str, text: str) -> None:
    assert told(language, text) == []


def test_tests_of_a_row_each_have_their_possessive() -> None:
    assert told("en", "Her calcium and her phosphate were normal.") == ["calcium-total normal", "phosphate normal"]
    assert told("es", "Su calcio y su fósforo eran normales.") == ["calcium-total normal", "phosphate normal"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Corrected calcium (for albumin) 2.38 mmol/L."),
        ("en", "Calcium corrected for albumin: 2.38 mmol/L."),
        ("en", "Calcium (albumin-adjusted) 2.38 mmol/L."),
        ("de", "Calcium (albuminkorrigiert) 2,38 mmol/l."),
        ("de", "Kalzium korrigiert nach Albumin 2,38 mmol/l."),
        ("es", "Calcio corregido por albúmina: 2,38 mmol/l."),
        ("pt", "Cálcio corrigido pela albumina 2,38 mmol/L."),
        ("fr", "La calcémie corrigée par l'albumine est à 2,38 mmol/L."),
    ],
)
def test_what_a_calcium_was_corrected_for_is_no_albumin(language: str, text: str) -> None:
    assert told(language, text) == ["calcium-adjusted 2.38"]


def test_both_calciums_of_a_sentence_are_read() -> None:
    text = "Calcium 2.10, corrected for albumin 2.35 mmol/L."
    assert told("en", text) == ["calcium-total 2.10", "calcium-adjusted 2.35"]
