"""Notes typed without a capital: what is short for a test is one where its figure stands behind it, and only there."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()

READ = [
    ("en", "labs: ca 9.3 mg/dl, phos 3.4 mg/dl", "calcium-total", "9.3"),
    ("en", "ca 2.31 mmol/l", "calcium-total", "2.31"),
    ("en", "vitals: hr 44, bp 84/46, afebrile", "heart-rate", "44"),
    ("en", "vitals: hr 44, bp 84/46, afebrile", "systolic", "84"),
    ("en", "obs: bp 118/70, p 44 reg, sats 98 %", "heart-rate", "44"),
    ("en", "echo: ef 32 %", "ejection-fraction", "32"),
    ("en", "echo last week - ef 32, mild mr", "ejection-fraction", "32"),
    ("en", "ck 1200 u/l; alt 31 u/l", "creatine-kinase", "1200"),
    ("en", "bloods: plt 38 x10^9/l", "platelets", "38"),
    ("en", "seen today.\ngfr 24\nca 2.3 mmol/l", "egfr", "24"),
    ("es", "fc 44 lpm, ta 84/46 mmhg", "heart-rate", "44"),
    ("es", "fc 44 lpm, ta 84/46 mmhg", "systolic", "84"),
    ("es", "ecocardiograma: fevi 32 %", "ejection-fraction", "32"),
    ("pt", "fc 44 bpm; pa 84/46 mmhg", "heart-rate", "44"),
    ("pt", "ecocardiograma: fe 32 %", "ejection-fraction", "32"),
    ("fr", "fc 44/min, ta 84/46", "heart-rate", "44"),
    ("fr", "échocardiographie : fe 32 %", "ejection-fraction", "32"),
    ("de", "vitalparameter: hf 44/min, rr 84/46 mmhg", "heart-rate", "44"),
    ("de", "vitalparameter: hf 44/min, rr 84/46 mmhg", "systolic", "84"),
    ("de", "echo: lvef 32 %", "ejection-fraction", "32"),
]

NONE = [
    ("en", "hard lump, ca 3 cm, left elbow", "calcium-total"),
    ("en", "ca 9, seen in clinic", "calcium-total"),
    ("en", "crp ca 20 mg/l", "calcium-total"),
    ("en", "noticed ca 2 months ago", "calcium-total"),
    ("en", "lasts ca 2 hr, 44 tablets left", "heart-rate"),
    ("en", "hr 2, then home", "heart-rate"),
    ("en", "see p 44, second paragraph", "heart-rate"),
    ("en", "breast ca 2019, in remission", "calcium-total"),
    ("es", "la paciente con fe 100 mg al día", "ejection-fraction"),
    ("es", "pa 2 veces por semana", "systolic"),
    ("fr", "fa 3 cures par an", "alkaline-phosphatase"),
    ("de", "ca. 2,3 cm groß, derb", "calcium-total"),
    ("de", "ca 2,3 cm groß, derb", "calcium-total"),
]


def results(language: str, text: str, analyte: str) -> list[str | None]:
    return [
        str(lab.value) for lab in ENGINE.read(text, kind="note", language=language).labs
        if lab.analyte == analyte and lab.value is not None
    ]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "analyte", "value"), READ)
def test_an_abbreviation_in_small_letters_before_its_figure_is_the_test(language, text, analyte, value) -> None:
    assert results(language, text, analyte) == [value]


@pytest.mark.parametrize(("language", "text", "analyte", "value"), READ)
def test_it_is_read_as_in_its_own_letters(language, text, analyte, value) -> None:
    short = text
    for word in ("ca ", "hr ", "bp ", "ef ", "ck ", "alt ", "plt ", "gfr ", "fc ", "ta ", "pa ", "fevi ", "fe ", "hf ",
                 "rr ", "lvef ", "p 44"):  # fmt: skip
        short = short.replace(f" {word}", f" {word.upper()}").replace(f"\n{word}", f"\n{word.upper()}")
        short = word.upper() + short.removeprefix(word) if short.startswith(word) else short
    assert value in results(language, short.replace("CA ", "Ca "), analyte)


@pytest.mark.parametrize(("language", "text", "analyte"), NONE)
def test_letters_that_mean_something_else_are_no_test(language, text, analyte) -> None:
    assert results(language, text, analyte) == []
