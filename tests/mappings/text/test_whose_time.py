"""Which lesion a time belongs to when others stand in the sentence, and feasts with their year."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.dates import PartialDate
from mappings.reader.beginnings import started
from mappings.text.engine import TextEngine
from mappings.text.reading import TimeSpan

ENGINE = TextEngine.load()
NOTE = PartialDate.parse("2026-05-20")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("Paciente com doença há 12 anos, com nódulos duros em cotovelos, percebidos há 5 meses, sem ulceração.", 5),
        ("Patient with XY for 12 years, with hard nodules of the elbows, noticed 5 months ago.", 5),
        ("For 3 months, hard nodules of both elbows.", 3),
        ("Ulcer R thumb w/ underlying calcinosis, noted 2 months ago.", 2),
    ],
)  # fmt: skip
def test_a_time_behind_the_lesion_goes_before_one_in_front_of_it(text: str, amount: int) -> None:
    onset = ENGINE.read(text).lesions[0].onset
    assert onset is not None
    assert onset.amount == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "recurring"),
    [
        ("Hard nodules at old injection sites (weekly MTX injections), first noticed in February this year.", "02"),
        ("The lumps on my elbows that I got just before Christmas are getting bigger.", "12-25"),
        ("Nódulos duros en codos, notados en marzo.", "03"),
    ],
)
def test_what_a_closed_bracket_holds_does_not_own_the_time_behind_it(text: str, recurring: str) -> None:
    onset = ENGINE.read(text).lesions[0].onset
    assert onset is not None
    assert onset.recurring == recurring


def test_a_drug_keeps_its_own_time() -> None:
    assert ENGINE.read("Hard nodules of the elbows (methotrexate for 2 years).").lesions[0].onset is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Harte Knoten an den Fingern seit Ostern 2024", "2024-03-31"),
        ("Hard nodules of the fingers since Christmas 2023", "2023-12-25"),
        ("Hard nodules of the fingers since Christmas", "2025-12-25"),
    ],
)
def test_a_feast_with_its_year_is_that_day(text: str, day: str) -> None:
    assert started(ENGINE.read(text).lesions[0].onset, NOTE) == PartialDate.parse(day)


@pytest.mark.parametrize(
    "text",
    [
        "Woman with SSc, for 3 months hard nodules on both elbows.",
        "Woman with SSc and for the past 3 months hard nodules on both elbows.",
        "SSc on methotrexate, over the last 3 months hard nodules on both elbows.",
        "Patientin mit Dermatomyositis, seit 3 Monaten harte Knoten an beiden Ellenbogen.",
        "Patiente avec sclérodermie et depuis 3 mois des nodules durs des coudes.",
        "Paciente con esclerodermia, desde hace unos 3 meses nódulos duros en codos.",
        "Paciente com esclerodermia, há 3 meses nódulos duros nos cotovelos.",
    ],
)
def test_a_clause_that_begins_with_a_time_tells_when_its_lesion_began(text: str) -> None:
    (lesion,) = ENGINE.read(text).lesions
    assert lesion.onset == TimeSpan(Decimal(3), "month")


@pytest.mark.parametrize(
    "text",
    [
        "Woman with SSc for 3 months, hard nodules on both elbows.",
        "SSc, for 3 months, hard nodules on both elbows.",
        "Woman with SLE, for 3 months on prednisone, and hard nodules.",
        "Frau mit SLE, seit 3 Monaten Hydroxychloroquin, harte Knoten.",
        "Patientin mit Dermatomyositis seit 3 Monaten, harte Knoten an beiden Ellenbogen.",
    ],
)
def test_the_time_of_a_disease_or_drug_is_not_that_of_the_lesion(text: str) -> None:
    (lesion,) = ENGINE.read(text).lesions
    assert lesion.onset is None
