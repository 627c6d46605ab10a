"""Results as clinics write them: with their day, in cells, in a short word; doses that are none."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


def labs(text: str) -> set[tuple[str, str, str | None]]:
    return {(lab.analyte, lab.word or str(lab.value), lab.date_text) for lab in ENGINE.read(text).labs}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Last bloods are from January 2024: Ca 2.29 mmol/L (2.20-2.60)", {("calcium-total", "2.29", "2024-01")}),
        ("Labs 12 May 2026: Ca 9.4 mg/dL", {("calcium-total", "9.4", "2026-05-12")}),
        ("Analítica de enero de 2024: calcio 9,3 mg/dl", {("calcium-total", "9.3", "2024-01")}),
        ("Labor vom 12.05.2024: Calcium 2,31 mmol/l", {("calcium-total", "2.31", "2024-05-12")}),
        ("Bilan de janvier 2024 : calcémie 2,34 mmol/L", {("calcium-total", "2.34", "2024-01")}),
        ("Labs 05/12/2026 Ca 9.4 mg/dL", {("calcium-total", "9.4", "2026-05-12|2026-12-05")}),
        ("SLE since 2009: Ca 2.29 mmol/L", {("calcium-total", "2.29", None)}),
        ("His calcium last week was normal at 9.5 mg/dL", {("calcium-total", "normal", None)}),
        ("Calcium checked this month was normal", {("calcium-total", "normal", None)}),
        ("Das Calcium war zuletzt normal", {("calcium-total", "normal", None)}),
        ("el calcio la semana pasada era normal", {("calcium-total", "normal", None)}),
        ("calcium 9.4 mg% (8.5-10.5)", {("calcium-total", "9.4", None)}),
        ("Takes calcium 600 mg bid + D3 1000.", set()),
        ("Vit D 1000 IU, calcium 1 g daily", set()),
        ("Calcium supplement recently started; normal diet", set()),
    ],
)
def test_results_with_their_day_and_doses_that_are_none(text: str, found: set[tuple[str, str, str | None]]) -> None:
    assert labs(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Calcium | 9.4 | mg/dL | 8.6-10.2", ("calcium-total", "9.4", "mg/dL", "8.6-10.2")),
        ("| Calcium | 2,31 | mmol/l | 2,15-2,55 | N |", ("calcium-total", "2.31", "mmol/l", "2,15-2,55")),
        ("Ca 9.4 mg/dL, 2-3 nodules", ("calcium-total", "9.4", "mg/dL", None)),
        ("Ca(corr) 2.34mmol/L", ("calcium-adjusted", "2.34", "mmol/L", None)),
    ],
)
def test_results_in_cells(text: str, found: tuple[str, str, str, str | None]) -> None:
    assert [(lab.analyte, str(lab.value), lab.unit, lab.limits) for lab in ENGINE.read(text).labs] == [found]


@pytest.mark.parametrize(("text", "word"), [("serum Ca nml", "normal"), ("bloods incl calcium all fine", "normal")])
def test_short_words_for_normal(text: str, word: str) -> None:
    assert labs(text) == {("calcium-total", word, None)}


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("punch bx shows calcium in dermis", ["calcium"]),
        ("skin bx neg for calcium", ["no-calcium"]),
        ("bx pending", []),
        ("will bx the nodule", []),
    ],
)
def test_bx(text: str, findings: list[str]) -> None:
    assert [m.finding for m in ENGINE.read(text).biopsies] == findings


def test_calcs_of_a_film() -> None:
    assert [m.finding for m in ENGINE.read("XR hand: soft tissue calcs of the thumb, no fracture").imaging] == [
        "soft-tissue"
    ]
