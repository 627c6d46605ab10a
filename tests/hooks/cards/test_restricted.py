"""Entries tagged restricted (meta.security R or V) count, and no card tells what they say; what they mean for an option
is still said, since a conflict must not look like none."""

from __future__ import annotations

import pytest

from tests.hooks.cards.examples import Example, cards, drug

BASE = """
    Patient    | male | 50y
    Condition  | M34.9 | onset -12y
    Exam       | several stony-hard nodules of both elbows, both thighs and both forearms for 3 months | -5d
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d {calcium}
    Laboratory | Phosphate | 1.17 mmol/L [0.8–1.5] | -11d {phosphate}
    Laboratory | eGFR | 97 mL/min/1.73m2 | -12d {kidney}
    Imaging    | X-ray of both elbows | Extensive subcutaneous calcification of both elbows. | -13d {imaging}
    BP         | 128/76 | -3d
    Vital      | Heart rate | 76 /min | -3d
    Procedure  | ECG | -10d
    Medication | metoprolol | 50 mg/d | -1y {drug}
    Medication | xyzzymab 5 mg | -1y {unknown}
    Allergy    | colchicine | urticaria {allergy}
"""
NAMES = ("calcium", "phosphate", "kidney", "imaging", "drug", "unknown", "allergy")


def table(*restricted: str) -> str:
    return BASE.format(**{name: "| security=R" if name in restricted else "" for name in NAMES})


def told(chart: str) -> str:
    """Everything that a clinician reads of the cards."""
    found = cards(Example(chart))
    offers = [suggestion for card in found for suggestion in card.get("suggestions", [])]
    described = [action["description"] for suggestion in offers for action in suggestion["actions"]]
    return str([(card["summary"], card["detail"]) for card in found] + [s["label"] for s in offers] + described)


def said(*restricted: str) -> str:
    return told(table(*restricted))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("calcium", "2.31"),
        ("calcium", "22 May 2026"),
        ("calcium", "Observation/laboratory-1"),
        ("phosphate", "1.17"),
        ("imaging", "DiagnosticReport/imaging-1"),
        ("imaging", "Imaging (radiograph, 19 May 2026)"),
        ("drug", "metoprolol"),
        ("drug", "A beta-blocker is active"),
        ("unknown", "xyzzymab"),
        ("allergy", "urticaria"),
        ("allergy", "An allergy or adverse reaction to this agent"),
    ],
)
def test_what_a_restricted_entry_says_is_not_told(name: str, words: str) -> None:
    assert words in said()
    hidden = said(name)
    assert hidden != "[]"
    assert words not in hidden


def test_a_high_value_is_not_told_where_it_decides() -> None:
    high = BASE.replace("2.31 mmol/L", "2.91 mmol/L").format(**dict.fromkeys(NAMES, "") | {"calcium": "| security=V"})
    assert cards(Example(high))
    assert "2.91" in told(high.replace("| security=V", ""))
    assert "2.91" not in told(high)


def test_a_conflict_is_still_one() -> None:
    assert "**diltiazem** may be considered. Text only, no order: an entry with restricted access, not shown." in said(
        "drug"
    )
    assert "colchicine: Not offered: an entry with restricted access, not shown." in said("allergy")
    drafted = str(cards(Example(table("drug"))))
    assert "'text': 'diltiazem'" not in drafted


def test_a_drafted_drug_is_warned_of_without_the_reason() -> None:
    example = Example(table("drug"), hook="order-sign", drafts=(drug("diltiazem 120 mg"),))
    (card,) = cards(example)
    assert "care needed" in card["summary"]
    assert "metoprolol" not in str(card) and "beta" not in str(card)
