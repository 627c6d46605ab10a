"""Units: every spelling leads to one unit, conversions are exact and go there and back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.units import load_units, plain

TABLE = load_units()
CONVERTIBLE = [
    (analyte, unit)
    for analyte in TABLE.analytes.values()
    for unit, factor in analyte.units.items()
    if factor is not None and analyte.canonical
]


@given(st.sampled_from(CONVERTIBLE), st.decimals(min_value=Decimal("0.01"), max_value=Decimal(9999), places=2))
def test_there_and_back_is_the_same_value(pair: tuple[object, str], value: Decimal) -> None:
    analyte, unit = pair
    there = analyte.convert(value, unit)  # type: ignore[attr-defined]
    one = analyte.convert(Decimal(1), unit)  # type: ignore[attr-defined]
    assert abs(there / one - value) < Decimal("1e-20")


def test_every_unit_of_an_analyte_and_every_canonical_unit_is_in_the_table() -> None:
    for analyte in TABLE.analytes.values():
        for unit in analyte.units:
            assert TABLE.unit(unit) == unit, (analyte.id, unit)
        if analyte.canonical:
            assert analyte.units[analyte.canonical] == "1", analyte.id


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "canonical"),
    [
        ("calcium-total", "4.008", "mg/dL", "1"),
        ("calcium-total", "5", "mEq/L", "2.5"),
        ("phosphate", "3.097", "mg/dL", "1"),
        ("albumin", "4", "g/dL", "40"),
        ("creatinine", "1", "mg/dL", "88.4"),
        ("platelets", "150000", "/uL", "150"),
    ],
)
def test_factors(analyte: str, value: str, unit: str, canonical: str) -> None:
    assert TABLE.analytes[analyte].convert(Decimal(value), unit) == Decimal(canonical)


@pytest.mark.parametrize("text", ["", "mg", "mg/day", "mg/24h", "banana", None, 3, "mmol/24h", "mmol/d"])
def test_what_is_no_concentration_of_the_table_is_none_of_its_units(text: object) -> None:
    assert TABLE.unit(text) in (None, "1")


@pytest.mark.parametrize(
    ("name", "analyte"),
    [
        ("Calcium", "calcium-total"),
        ("CALCIO SÉRICO", "calcium-total"),
        ("Ionised calcium", "calcium-ionized"),
        ("Corrected calcium", "calcium-adjusted"),
        ("Harnsäure", "urate"),
        ("Phosphat", "phosphate"),
        ("FOSFORO INORG.", "phosphate"),
        ("Phosphor anorg.", "phosphate"),
        ("Phosphates sériques", "phosphate"),
        ("Adj Ca", "calcium-adjusted"),
        ("Ca korrigiert (Albumin)", "calcium-adjusted"),
        ("Calcio ionizado (Ca++)", "calcium-ionized"),
        ("TFG estimada", "egfr"),
        ("DFG estimé (CKD-EPI)", "egfr"),
        ("FG estimado CKD-EPI", "egfr"),
        ("Glomeruläre Filtrationsrate (CKD-EPI)", "egfr"),
        ("Kreatinin (enzym.)", "creatinine"),
        ("Albumin (BCG)", "albumin"),
        ("ALAT/SGPT", "alt"),
        ("Paratormônio intacto (PTH)", "pth"),
        ("25-OH-vitamine D (D2+D3)", "vitamin-d-25-oh"),
        ("Urato sérico", "urate"),
        ("FG", None),
        ("Kreatinin (enzym.) Urin", None),
        ("Phosphore urinaire", None),
        ("25-OH Vitamin D2", None),
        ("PTHrP", None),
        ("Creatinina (CKD-EPI)", None),
        ("Inorg.", None),
        ("Urato/creatinina", None),
        ("Urine calcium", None),
        ("Calcium score", None),
        ("Calcium channel blocker", None),
    ],
)
def test_names_are_compared_whole(name: str, analyte: str | None) -> None:
    assert TABLE.analyte_named(name) == analyte


def test_plain_folds_case_accents_and_punctuation() -> None:
    assert plain("  Phosphatémie – (sérique) ") == "phosphatemie serique"
