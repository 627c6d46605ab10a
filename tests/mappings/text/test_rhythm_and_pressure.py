"""The heart's rate and the pressure as tracings and sentences tell them, and states of which a drug's safety hangs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.text.engine import TextEngine
from mappings.text.reading import LabMention

ENGINE = TextEngine.load()


def told(text: str, analyte: str) -> list[LabMention]:
    return [lab for lab in ENGINE.read(text).labs if lab.analyte == analyte and lab.value is not None]


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("pulse regular 46", "46"),
        ("Pulse in the low 40s", "40"),
        ("Bradycardic at 44", "44"),
        ("ECG: sinus rhythm 46 bpm, PR 150", "46"),
        ("ECG: SR @ 46", "46"),
        ("ECG: sinus rhythm, rate 46", "46"),
        ("EKG: Sinusbradykardie 44/min", "44"),
        ("EKG: Sinusrhythmus mit einer Frequenz von 46/min", "46"),
        ("ECG: rythme sinusal à 46/min", "46"),
        ("ECG sinusal a 46 lpm", "46"),
        ("Bradicardia sinusal 46", "46"),
    ],
)
def test_a_rhythm_tells_its_rate(text: str, rate: str) -> None:
    assert [lab.value for lab in told(text, "heart-rate")] == [Decimal(rate)]


@pytest.mark.parametrize(
    "text",
    [
        "Diltiazem SR 120",
        "verapamil SR 180 daily",
        "Sinus rhythm 25 May 2026",
        "Bradycardia <50 is a contraindication",
        "ECG in sinus rhythm, 12 leads",
    ],
)
def test_a_dose_a_day_and_a_bound_are_no_rate(text: str) -> None:
    assert told(text, "heart-rate") == []


def test_a_pulse_is_told_once() -> None:
    assert len(told("Pulse: 58 bpm, ECG: sinus rhythm, HR 60", "heart-rate")) == 2


def test_the_rate_of_a_relative_is_not_the_patients() -> None:
    assert [lab.status for lab in told("Father: bradycardia at 40, pacemaker", "heart-rate")] == ["family"]


def test_an_earlier_rate_is_none_of_today() -> None:
    assert [lab.undated for lab in told("Pulse 72. Previous bradycardia at 41.", "heart-rate")] == [False, True]


@pytest.mark.parametrize(
    ("text", "pressure"),
    [
        ("Blood pressure was 85 over 50", "85"),
        ("SBP 85", "85"),
        ("Systolic in the 80s", "80"),
        ("Blutdruck 85 zu 50", "85"),
        ("systolischer Blutdruck 84", "84"),
        ("PAS 84 mmHg", "84"),
        ("Presión arterial sistólica 84 mmHg", "84"),
        ("PA 85 por 50", "85"),
    ],
)
def test_a_pressure_in_words(text: str, pressure: str) -> None:
    assert [lab.value for lab in told(text, "systolic")] == [Decimal(pressure)]


@pytest.mark.parametrize("text", ["target SBP 120-130", "BP 96 over the last week", "Skin biopsy: PAS positive"])
def test_what_is_no_pressure(text: str) -> None:
    assert [lab for lab in ENGINE.read(text).labs if lab.analyte == "systolic"] == []


@pytest.mark.parametrize(
    ("text", "concept", "status"),
    [
        ("CKD G4A2", "trigger.ckd_4", "affirmed"),
        ("MRC stade G4A3", "trigger.ckd_4", "affirmed"),
        ("CKD G3bA1", "trigger.ckd_3", "affirmed"),
        ("G6PD normal", "trigger.g6pd_deficiency", "negated"),
        ("G6PD screen: normal", "trigger.g6pd_deficiency", "negated"),
        ("G6PD deficient", "trigger.g6pd_deficiency", "affirmed"),
        ("G3P2 at 22 weeks", "trigger.pregnancy", "affirmed"),
        ("LMP 12/3/2026, hCG +", "trigger.pregnancy", "affirmed"),
        ("Pumping milk for twins", "trigger.lactation", "affirmed"),
        ("Dando el pecho a su hija", "trigger.lactation", "affirmed"),
        ("Amamenta o filho de 4 meses", "trigger.lactation", "affirmed"),
        ("Stillen seit 3 Monaten", "trigger.lactation", "affirmed"),
        ("Stillt nicht mehr", "trigger.lactation", "negated"),
        ("Wants to start a family next year", "trigger.planning_pregnancy", "affirmed"),
        ("Veut tomber enceinte cette année", "trigger.planning_pregnancy", "affirmed"),
    ],
)
def test_states(text: str, concept: str, status: str) -> None:
    assert [c.status for c in ENGINE.read(text).concepts if c.concept == concept] == [status]


@pytest.mark.parametrize("text", ["G3P2, all well", "Wants to start a biologic"])
def test_other_words_tell_of_no_pregnancy(text: str) -> None:
    assert not ENGINE.read(text).concepts
