"""What the card says of agents that the patient takes already."""

from __future__ import annotations

from tests.hooks.cards.examples import USUAL, XRAY, Example, cards

HEADING = "Taken now, with care"


def told(*rows: str) -> str:
    text = next(
        (card["detail"] for card in cards(Example(USUAL + XRAY + "\n".join(rows))) if HEADING in card["detail"]), ""
    )
    return text.partition(HEADING)[2].partition("\n\n**")[0]


def test_a_dangerous_pair_in_use_is_told() -> None:
    both = told("Medication | diltiazem | 240 mg/d | -1y", "Medication | colchicine | 1 mg/d | -1y")
    assert "diltiazem" in both and "colchicine" in both and "D8" in both and "C2" in both


def test_an_agent_in_use_with_nothing_against_it_is_not_told() -> None:
    assert told("Medication | colchicine | 0.5 mg/d | -1y") == ""
    assert told() == ""


def test_a_pair_that_only_a_note_tells_is_told_with_the_note() -> None:
    both = told("Report | Clinic letter | On diltiazem 240 mg/d and colchicine 1 mg/d. | -10d")
    assert "D8" in both and "note of" in both


def test_drugs_that_no_rule_knows_are_named() -> None:
    rows = [f"Medication | remedy{number} | -1y" for number in "abcdefg"]
    found = cards(Example(USUAL + XRAY + "\n".join([*rows, "Medication | metoprolol | 50 mg/d | -1y"])))
    said = [card["detail"] for card in found if "no rule here knows" in card["detail"]]
    assert len(said) == 1 and "remedya" in said[0] and "+2 more" in said[0] and "remedyg" not in said[0]
    assert "metoprolol" not in said[0].partition("no rule here knows")[2]
    assert not any("no rule here knows" in card["detail"] for card in cards(Example(USUAL + XRAY)))
