"""How notes write units: what `lexicon/notation.yaml` lists is read behind a number, and a wrong pattern is refused."""

from __future__ import annotations

import pytest
import yaml

from mappings.text import schema
from mappings.text.engine import TextEngine
from mappings.text.notation import Notation, load_notation
from mappings.text.schema import LanguageError

ENGINE = TextEngine.load()
UNITS = load_notation().units


def unit_of(text: str) -> str | None:
    """The unit of the one result that a text tells."""
    (lab,) = ENGINE.read(text).labs
    return lab.unit


def told(*patterns: str) -> list[str]:
    """The patterns that are words, as they are."""
    return [pattern for pattern in patterns if pattern.isalpha()]


@pytest.mark.parametrize("unit", told(*UNITS.amounts))
def test_an_amount_over_a_volume(unit: str) -> None:
    assert unit_of(f"CRP 48.5 {unit}/L") == f"{unit}/L"


@pytest.mark.parametrize("unit", told(*UNITS.counts))
def test_thousands_are_a_unit_over_something_only(unit: str) -> None:
    assert unit_of(f"CRP 48.5 {unit}/L") == f"{unit}/L"
    assert unit_of(f"CRP 48.5 {unit}") is None


@pytest.mark.parametrize("sign", "µμu")
def test_any_sign_of_micro(sign: str) -> None:
    assert unit_of(f"Creatinine 88 {sign}mol/L") == f"{sign}mol/L"


@pytest.mark.parametrize("unit", UNITS.seconds)
def test_seconds_are_those_of_a_number_below_one(unit: str) -> None:
    assert unit_of(f"PR interval 0.23 {unit}") == unit
    assert unit_of(f"CRP 48.5 {unit}") is None


@pytest.mark.parametrize("written", ["mg", "mcg", "µg", "g"])
def test_a_dose_that_was_not_tolerated_is_told_in_its_unit(written: str) -> None:
    (tolerance,) = ENGINE.read(f"Diltiazem 90 {written} TDS caused headache.").tolerances
    assert tolerance.unit == load_notation().doses[written]


@pytest.mark.parametrize(("key", "pattern"), [("seconds", "s("), ("rates", "[min")])
def test_what_is_no_pattern_is_named_by_its_key(monkeypatch: pytest.MonkeyPatch, key: str, pattern: str) -> None:
    wrong = load_notation().model_dump(by_alias=True)
    wrong["units"][key] = [pattern]
    monkeypatch.setattr(yaml, "load", lambda *_, **__: wrong)
    with pytest.raises(LanguageError, match=rf"notation\.yaml: units\.{key}\.0"):
        schema.load("lexicon/notation.yaml", Notation)
