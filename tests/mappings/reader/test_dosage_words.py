"""A dose and its period, in words of five languages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mappings.reader.access import Concept
from mappings.reader.dosage import daily_dose, is_delayed, is_infused
from tests.mappings.reader.sent import read

DRUG = Concept(text="diltiazem")


@pytest.mark.parametrize(
    ("sig", "daily"),
    [
        ("90 mg per day", 90), ("90 mg/d", 90), ("90 mg pro Tag", 90), ("90 mg por día", 90), ("90 mg par jour", 90),
        ("90 mg a day", 90), ("90 mg al día", 90), ("90 mg am Tag", 90), ("90 mg/24 h", 90), ("90 mg/j", 90),
        ("70 mg per week", 10), ("70 mg pro Woche", 10), ("70 mg por semana", 10), ("70 mg par semaine", 10),
        ("60 mg per month", 2), ("30 mg, one or two tablets daily", 60), ("30 mg, uno hasta dos comp diario", 60),
    ],
)  # fmt: skip
def test_a_dose_and_its_period(sig: str, daily: int) -> None:
    assert daily_dose({}, sig, DRUG) == (Decimal(daily), "mg")


def test_a_dose_an_hour_is_no_daily_dose() -> None:
    assert daily_dose({}, "5 mg/h", DRUG) == (None, None)


def test_words_of_a_release_behind_the_stomach_and_of_an_infusion() -> None:
    assert is_delayed("risedronate 35 mg DR tablet") and is_delayed("Delayed release") and not is_delayed("drug")
    assert is_infused("slow Infusion over 2 h") and not is_infused("one tablet")


@pytest.mark.parametrize(
    ("dosage", "infused"),
    [
        ({"site": {"text": "dorsum of left hand"}}, True),
        ({"site": {"text": "left forearm"}, "route": {"text": "oral"}}, False),
        ({"site": {"text": "left hand"}, "text": "gel on the burn"}, False),
        ({"text": "1 g"}, False),
    ],
)
def test_what_is_given_at_a_place_and_by_no_other_route_is_an_infusion_there(
    dosage: dict[str, Any], infused: bool
) -> None:
    given = {
        "resourceType": "MedicationAdministration",
        "id": "m",
        "status": "completed",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"text": "Calcium gluconate 10 %"},
        "effectiveDateTime": "2026-05-02",
        "dosage": dosage,
    }
    assert [drug.infusion for drug in read(given).medications] == [infused]
