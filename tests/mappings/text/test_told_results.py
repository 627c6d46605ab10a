"""Results told in one word, and what calcium in a vessel or on a film says."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


def results(text: str) -> set[tuple[str, str]]:
    return {(lab.analyte, lab.word or str(lab.value)) for lab in ENGINE.read(text).labs if lab.status == "affirmed"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Familienanamnese: Schwester mit Kalzinose. Calcium normal.", {("calcium-total", "normal")}),
        ("FHx: mother with lupus. Calcium normal.", {("calcium-total", "normal")}),
        ("FHx: calcium high.", set()),
        ("FHx: gout. Mother: calcium high.", set()),
        (
            "FHx: mother with scleroderma and hard nodules. Skin exam: firm papule of the knee. Calcium normal.",
            {("calcium-total", "normal")},
        ),
    ],
)
def test_a_result_after_the_family_section_is_the_patients(text: str, found: set[tuple[str, str]]) -> None:
    assert results(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Normocalcemic, phosphorus normal.", {("calcium-total", "normal"), ("phosphate", "normal")}),
        ("Hypercalcaemic on repeat.", {("calcium-total", "high")}),
        ("Not hypercalcemic.", set()),
        ("Known hypercalcemia, phosphate normal.", {("phosphate", "normal")}),
        ("Hypercalcemia of 11.9 mg/dL (8.6-10.2).", {("calcium-total", "11.9")}),
        ("Hipercalcemia de 11,9 mg/dl (8,6-10,2).", {("calcium-total", "11.9")}),
        ("Normocalcêmica.", {("calcium-total", "normal")}),
        ("Normocalcémie.", {("calcium-total", "normal")}),
        ("Normokalzämie.", {("calcium-total", "normal")}),
        ("Ca i.N., Phosphat i.N.", {("calcium-total", "normal"), ("phosphate", "normal")}),
        ("Total calcium 8.1 L mg/dL (8.6-10.2)", {("calcium-total", "8.1")}),
        ("Kalzium gesamt 2,34 mmol/l", {("calcium-total", "2.34")}),
        ("Calcuim level normal", {("calcium-total", "normal")}),
        ("Calcium ordered, result pending.", set()),
        ("Calcium supplements are fine to continue.", set()),
        ("Ca was fine on last labs.", {("calcium-total", "normal")}),
        ("Kalzium in Ordnung.", {("calcium-total", "normal")}),
    ],
)
def test_results_told_in_one_word(text: str, found: set[tuple[str, str]]) -> None:
    assert results(text) == found


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Alizarin red stain highlights deposits within collagen.", "calcium"),
        ("Calcium deposits in the dermis and around vessels.", "calcium"),
        ("Dermal calcification; no vascular calcification.", "calcium"),
        ("Calcification of the walls of small vessels in the subcutis.", "not-understood"),
        ("Small vessel medial calcification with thrombosis and fat necrosis.", "not-understood"),
        ("Verkalkung der Gefäße in der Subkutis.", "not-understood"),
        ("Calcification des parois des vaisseaux.", "not-understood"),
        ("Calcificación de la pared de los vasos.", "not-understood"),
    ],
)
def test_calcium_of_a_vessel_is_no_deposit_in_the_skin(text: str, finding: str) -> None:
    assert [b.finding for b in ENGINE.read(text, kind="pathology").biopsies] == [finding]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Calcified phleboliths in the pelvis.", "vascular-only"),
        ("Médiacalcose des artères tibiales.", "vascular-only"),
        ("Mediasklerose der Unterschenkelarterien.", "vascular-only"),
        ("INDICATION: evaluate for calcinosis. FINDINGS: Unremarkable radiographs of the hands.", "none"),
    ],
)
def test_films_without_calcinosis(text: str, finding: str) -> None:
    assert [i.finding for i in ENGINE.read(text, kind="imaging").imaging] == [finding]
