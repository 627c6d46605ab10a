"""Whether a note tells that a woman cannot be pregnant (table 4.2, G2.3): a sterilisation that took place does;
one that is wished for, planned, failed or undone leaves the question open."""

from __future__ import annotations

import pytest

from cds_service.pipeline import Brain, load_brain
from tests.cases.held_charts import DAY
from tests.cases.one_wording import assessed, line

_WITHOUT = "woman-unasked"
"""the woman of the table of holds, without her pregnancy test"""


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain(DAY)


def unasked(brain: Brain, text: str) -> bool:
    """Whether the pregnancy status still holds diltiazem back."""
    found = assessed(brain, "holds", _WITHOUT, line("note", text))
    return any("G2" in item.rules and item.decision == "need" for item in found.therapies if item.id == "diltiazem")


@pytest.mark.parametrize(
    "text",
    [
        "PSH: BTL 2021, C/S x2.", "Tubes tied 2014", "s/p TAH/BSO 2015", "Hysterectomy 2010 for fibroids",
        "Postmenopausal since 2020", "Laqueação tubar em 2022", "Tubensterilisation 2018", "Z.n. Hysterektomie 2010",
        "OTB 2019", "Ligature des trompes en 2015",
    ],
)  # fmt: skip
def test_a_sterilisation_that_took_place_answers_the_question(brain: Brain, text: str) -> None:
    assert not unasked(brain, text)


@pytest.mark.parametrize(
    "text",
    [
        "Desires BTL postpartum", "Wants tubes tied", "BTL papers signed", "Tubal ligation reversal 2024", "Plan: BTL",
        "Considering tubal ligation", "Declined BTL", "BTL scheduled for July", "Failed BTL, ectopic 2023",
        "hysterectomy planned", "Interested in sterilization", "not a candidate for BTL", "Husband had vasectomy",
        "perimenopausal", "menopausal symptoms", "not postmenopausal", "Desea ligadura de trompas", "Solicita OTB",
        "quer laqueação", "souhaite une ligature des trompes", "Wunsch nach Sterilisation", "Sterilisation geplant",
        "IUD in situ, LMP 5/14",
    ],
)  # fmt: skip
def test_one_that_is_only_thought_of_or_undone_does_not(brain: Brain, text: str) -> None:
    assert unasked(brain, text)
