"""Findings of another day: told of a year, removed, come back; and numbers and names in telegraphic style."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.dates import PartialDate
from mappings.reader.narrative import Source, to_lesions
from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Had hard nodules in 2015 per outside records.", "2015"),
        ("Hard nodules of both elbows documented in 2015.", "2015"),
        ("Tuvo nódulos duros en 2015.", "2015"),
        ("Hatte 2015 harte Knoten an den Händen.", "2015"),
        ("Has had hard nodules since 2015.", None),
        ("Hard nodules left elbow, had knee surgery in 2015.", None),
        ("Had hard nodules and fell in 2015.", None),
    ],
)
def test_a_year_told_of_a_finding_is_when_it_was_there(text: str, seen: str | None) -> None:
    (mention, *_) = ENGINE.read(text).lesions
    assert (mention.status, mention.seen) == ("affirmed", seen)


def test_what_was_seen_years_ago_is_not_newly_documented() -> None:
    note = Source("DocumentReference/n", date=PartialDate.parse("2026-05-20"))
    (lesion,) = to_lesions(ENGINE.read("Had hard nodules in 2015 per outside records.").lesions, note)
    assert lesion.recorded == PartialDate.parse("2015")
    (later,) = to_lesions(ENGINE.read("Had hard nodules in 2026.").lesions, note)
    assert later.recorded == note.date


@pytest.mark.parametrize(
    "text",
    [
        "Hard nodule of the left elbow, documented in 2015, now growing.",
        "Hard nodule of the left elbow, documented in 2015, now ulcerated.",
    ],
)
def test_what_changes_today_is_a_finding_of_today(text: str) -> None:
    note = Source("DocumentReference/n", date=PartialDate.parse("2026-05-20"))
    (lesion,) = to_lesions(ENGINE.read(text).lesions, note)
    assert lesion.recorded == note.date


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("calcinose opérée en 2015", "historical"),
        ("Nodule dur du genou, opéré en 2015", "historical"),
        ("nódulo duro operado en 2015", "historical"),
        ("Nódulo duro do cotovelo operado em 2015", "historical"),
        ("Harter Knoten am Ellenbogen 2015 operiert", "historical"),
        ("hard nodule of the elbow excised in 2015, no recurrence", "historical"),
        ("Nodule dur du coude opéré en 2015 sans récidive", "historical"),
        ("hard nodule excised in 2015, recurred in March 2026", "affirmed"),
        ("Calcinose opérée en mars 2026, récidive dure au même endroit", "affirmed"),
    ],
)
def test_what_was_removed_is_there_only_if_it_came_back(text: str, status: str) -> None:
    assert ENGINE.read(text).lesions[0].status == status


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("hard nodules x4 on the left forearm", 4),
        ("hard nodules x 3, left forearm", 3),
        ("hard nodules x 4 weeks on the left forearm", None),
        ("hard nodules x2 cm", None),
        ("hard nodules x3mo", None),
    ],
)
def test_a_number_of_times_behind_a_lesion_is_its_count(text: str, number: int | None) -> None:
    assert ENGINE.read(text).lesions[0].count == number


def test_an_exclamation_mark_before_a_small_letter_ends_nothing() -> None:
    (mention,) = ENGINE.read("rock hard! lump on knee").lesions
    assert mention.hardness == "definite"
    first, *_ = ENGINE.read("Skin is rock hard! Lump on knee.").lesions
    assert first.hardness == "unstated"


@pytest.mark.parametrize(
    ("title", "concepts"),
    [
        ("Overlap SSc/DM", {"ctd.overlap"}),
        ("SSc-DM overlap", {"ctd.overlap"}),
        ("Overlap syndrome SLE/DM", {"ctd.overlap", "ctd.overlap_lupus"}),
        ("SSc, DM", {"ctd.systemic_sclerosis", "trigger.diabetes"}),
    ],
)
def test_dm_in_an_overlap_is_no_diabetes(title: str, concepts: set[str]) -> None:
    assert {m.concept for m in ENGINE.read(title, kind="condition").concepts} == concepts


@pytest.mark.parametrize(
    "text", ["FEVG estimée à 30 %.", "LVEF mittelgradig eingeschränkt 30 %", "FEVE conservada de 30 %"]
)
def test_a_short_text_of_any_language_tells_its_ejection_fraction(text: str) -> None:
    (result,) = ENGINE.read(text).labs
    assert (result.analyte, result.value) == ("ejection-fraction", Decimal(30))
