"""A dose and its period, in words of five languages."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.reader.access import Concept
from mappings.reader.dosage import daily_dose, is_delayed, is_infused

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
