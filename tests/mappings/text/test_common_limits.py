"""The limits of `lexicon/common.yaml` hold to their edge, and not beyond."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from mappings.dates import PartialDate
from mappings.reader.narrative import _one_of
from mappings.text.common import load_common
from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()
COMMON = load_common()


def pressures(text: str) -> list[tuple[str, str | None]]:
    return [(str(lab.value), lab.unit) for lab in ENGINE.read(text, kind="note").labs if lab.analyte == "systolic"]


@pytest.mark.parametrize("upper", COMMON.results.centimetres.upper)
def test_pressures_in_centimetres(upper: int) -> None:
    lower = COMMON.results.centimetres.lower[0]
    assert pressures(f"PA {upper}/{lower}") == [(str(upper), "cmHg")]


def test_figures_that_are_no_pressures_in_centimetres() -> None:
    (least, most), lower = COMMON.results.centimetres.upper, COMMON.results.centimetres.lower
    beyond = [(least - 1, lower[0]), (most + 1, lower[0]), (least, lower[0] - 1), (most, lower[1] + 1)]
    told = [pressure for upper, under in beyond for pressure in pressures(f"PA {upper}/{under}")]
    assert not [pressure for pressure in told if pressure[1] == "cmHg"]


@pytest.mark.parametrize(("past_the_edge", "is_the_disease"), [(0, False), (1, True)])
def test_letters_behind_a_saturation_are_the_air(past_the_edge: int, is_the_disease: bool) -> None:
    least, most = COMMON.saturation
    for share in (least - past_the_edge, most + past_the_edge):
        concepts = [c.concept for c in ENGINE.read(f"Exam: {share}% RA.", kind="note").concepts]
        assert ("ctd.ra" in concepts) == is_the_disease, share


@pytest.mark.parametrize(("value", "analyte"), [("1.99", "calcium-ionized"), ("2.0", "calcium-total")])
def test_the_calcium_of_a_blood_gas(value: str, analyte: str) -> None:
    assert COMMON.ionized_below == 2
    labs = ENGINE.read(f"Blood gas: pH 7.38, Ca {value} mmol/L", kind="note").labs
    assert analyte in [lab.analyte for lab in labs]


def test_of_two_days_the_one_shortly_before_the_note() -> None:
    note = date(2026, 6, 15)
    older = PartialDate.of(note - timedelta(days=100))
    for late, chosen_late in ((0, True), (1, False)):
        newer = PartialDate.of(note - timedelta(days=COMMON.results.lately_days + late))
        assert _one_of([newer, older], PartialDate.of(note)) == (newer if chosen_late else older)
