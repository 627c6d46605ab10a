"""Words for hard lesions, their places, and when they are called new."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


@pytest.mark.parametrize("text", ["calcinotic nodules", "calcinotic deposits", "calcareous deposit of the thumb"])
def test_what_holds_calcium_is_hard(text: str) -> None:
    (found,) = ENGINE.read(text).lesions
    assert (found.hardness, found.status) == ("definite", "affirmed")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("chalky white papules on the pulps", ["fingertip"]),
        ("gritty deposit at the ulnar border of the left 5th finger", ["finger"]),
        ("hard nodules along the ulnar border of both forearms", ["forearm"]),
    ],
)
def test_places(text: str, places: list[str]) -> None:
    (found,) = ENGINE.read(text).lesions
    assert [site.place for site in found.sites] == places


@pytest.mark.parametrize(
    "when",
    [
        "since last visit",
        "since her last appointment",
        "in the last few weeks",
        "over the weekend",
        "lately",
        "wasn't there in January",
        "not there at visit in January",
        "not there at last visit",
        "that was absent in March 2026",
        "absent at the last review",
    ],
)
def test_called_new_in_other_words(when: str) -> None:
    (found,) = ENGINE.read(f"Hard nodule of the left little finger, {when}.").lesions
    assert (found.called_new, found.status) == (True, "affirmed")


@pytest.mark.parametrize("text", ["Nodules that were absent on exam today", "Nodules on the elbows were absent"])
def test_absent_without_a_time_before_is_absent(text: str) -> None:
    assert {found.status for found in ENGINE.read(text).lesions} == {"negated"}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3 firm-to-hard nodules on L forearm", 3),
        ("4 hard and tender nodules of the knee", 4),
        ("2 harte und schmerzhafte Knoten am Knie", 2),
        ("tres nódulos duros y dolorosos en codo", 3),
        ("Grade 3 to hard nodules", None),
        ("At age 3 and hard nodules of the elbow", None),
    ],
)
def test_two_qualities_do_not_part_a_number_from_its_lesions(text: str, number: int | None) -> None:
    (mention,) = ENGINE.read(text).lesions
    assert mention.count == number
