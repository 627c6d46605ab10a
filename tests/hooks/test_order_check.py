"""order-select and order-sign: what speaks against a draft, and silence otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from hooks.answer import WRITERS
from hooks.services import HOOKS
from tests.conformance import check_response
from tests.hooks.cards.examples import (
    EXAMPLES,
    KIDNEY,
    LUPUS,
    NODULES,
    PATIENT,
    USUAL,
    XRAY,
    Example,
    cards,
    drug,
    order,
)

YOUNG = USUAL.replace("61y", "30y") + XRAY
SCLERODERMA = USUAL.replace("Condition  | SLE", "Condition  | Systemic sclerosis") + XRAY


def asked(table: str, *drafts: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    found = cards(Example(table, "order-sign", drafts), **more)
    assert check_response({"cards": found}, patient="Patient/patient-1") == []
    return found


def test_every_hook_has_a_writer() -> None:
    assert set(WRITERS) == set(HOOKS)


@pytest.mark.parametrize(
    ("table", "name", "words"),
    [
        (USUAL + XRAY, "minocycline 100 mg", "M1"),
        (USUAL + XRAY, "warfarin 1 mg", "W1w"),
        (USUAL + XRAY + "Medication | metoprolol | 50 mg/d | -90d\n", "diltiazem 60 mg", "D3"),
        (YOUNG, "diltiazem 120 mg", "G2"),
        (YOUNG, "colchicine 0.5 mg", "G2"),
        (USUAL.replace(KIDNEY, "") + XRAY, "alendronate 70 mg", "B"),
        (SCLERODERMA, "risedronate 35 mg", "B2"),
        (USUAL + XRAY + "Medication | methotrexate | 15 mg/wk | -90d\n", "probenecid 500 mg", "P1"),
    ],
)
def test_a_drug_that_something_speaks_against(table: str, name: str, words: str) -> None:
    (card,) = asked(table, drug(name))
    conflict = card["detail"].split("**Conflict**")[1].split("\n\n")[0]
    assert words in conflict
    assert name.split()[0] in card["summary"]


@pytest.mark.parametrize("drafted", ["nifedipine 30 mg", "amlodipine 5 mg"])
def test_a_dihydropyridine_conflicts_only_beside_diltiazem(drafted: str) -> None:
    beside = USUAL + XRAY + "Medication | diltiazem | 120 mg/d | -30d\n"
    (card,) = asked(beside, drug(drafted))
    assert "conflicts with diltiazem" in card["summary"]
    assert "D5" in card["detail"]
    assert asked(USUAL + XRAY, drug(drafted)) == []


def test_two_drafts_that_do_not_go_together() -> None:
    ready = (
        USUAL.replace("female", "male")
        + XRAY
        + "Vital | Heart rate | 72 /min | -3d\nBP | 128/76 | -3d\n"
        + "Laboratory | ALT | 20 U/L [0–40] | -10d\n"
    )
    first, second = drug("diltiazem 120 mg"), drug("colchicine 0.5 mg") | {"id": "draft-2"}
    (card,) = asked(ready, first, second)
    assert "colchicine" in card["detail"].split("**Conflict**")[1].split("\n\n")[0]


def test_several_conflicts_make_one_card_the_gravest_first() -> None:
    first, second = drug("diltiazem 120 mg"), drug("minocycline 100 mg") | {"id": "draft-2"}
    (card,) = asked(YOUNG, first, second)
    assert card["summary"].startswith("Drafted minocycline: does not fit this patient")
    assert ", 1 more" in card["summary"]
    assert card["indicator"] == "warning"


def test_what_is_needed_first_can_be_drafted() -> None:
    (card,) = asked(YOUNG, drug("diltiazem 120 mg"))
    texts = {s["actions"][0]["resource"]["code"]["text"] for s in card["suggestions"]}
    assert "pregnancy test" in texts
    assert texts <= {"pregnancy test", "12-lead ECG"}


def test_a_biopsy_of_the_face_is_better_avoided() -> None:
    face = "Exam | rock-hard plaques on both cheeks, first noticed 3 months ago | -10d\n"
    table = USUAL.replace(NODULES, face)
    (card,) = asked(table, order("240977001", "Biopsy of skin", "left cheek"))
    assert card["summary"].startswith("Drafted skin biopsy: better avoided here")
    assert asked(table, order("240977001", "Biopsy of skin", "left foot")) == []


def test_a_radiograph_done_already() -> None:
    (card,) = asked(USUAL + XRAY, order("168537006", "Plain radiography", "left elbow"))
    assert "already done" in card["summary"]
    assert asked(USUAL, order("168537006", "Plain radiography", "left elbow")) == []


def test_a_draft_does_not_count_as_ordered_against_itself() -> None:
    draft = order("168537006", "Plain radiography", "both elbows")
    assert asked(USUAL, draft) == []
    there = "Order | X-ray of both elbows | SCT:168537006 | active | -5d | site=both elbows\n"
    (card,) = asked(USUAL + there, draft)
    assert "already ordered" in card["summary"]


@pytest.mark.parametrize("user", ["Patient", "RelatedPerson"])
def test_silent_for_patients(user: str) -> None:
    assert asked(USUAL + XRAY, drug("minocycline"), user_kind=user) == []


def test_silent_when_suppressed() -> None:
    assert asked(USUAL + XRAY, drug("minocycline"), suppress=frozenset({"calcinosisOrderConflict"})) == []


def test_silent_without_calcinosis() -> None:
    assert asked(PATIENT + LUPUS, drug("minocycline")) == []
    assert asked(PATIENT + NODULES, drug("minocycline")) == []


def test_stable_known_calcinosis_is_still_checked() -> None:
    """patient-view is silent there, an order that conflicts is not."""
    known = (
        USUAL.replace(NODULES, "Exam | stony-hard nodules over both elbows, unchanged for years | -800d\n")
        + "Condition | Calcinosis cutis | onset -3y | recorded -3y\n"
    )
    assert cards(Example(known)) == []
    (card,) = asked(known, drug("minocycline 100 mg"))
    assert "M1" in card["detail"]


def test_the_companion_is_linked_where_the_chart_alone_is_worth_no_card() -> None:
    launch = "https://cds.example.org/companion/launch"
    stable = PATIENT + LUPUS + "Condition | Calcinosis cutis | onset -3y | recorded -3y\n"
    for table, topic in ((stable, "calcinosisOrderConflict"), (YOUNG, "calcinosisDetection")):
        (card,) = asked(table, drug("minocycline 100 mg"), companion_url=launch)
        (link,) = [link for link in card["links"] if link["type"] == "smart"]
        assert link["url"] == launch
        assert link["appContext"].endswith(f"topic={topic}")


def test_select_and_sign_answer_alike() -> None:
    example = EXAMPLES["order-minocycline-in-lupus"]
    assert cards(replace(example, hook="order-select")) == cards(replace(example, hook="order-sign"))
