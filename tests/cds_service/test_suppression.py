"""When a card is held back and what brings it back: a model, and the words of each rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cds_service.pipeline import load_brain
from cds_service.store import Shown
from cds_service.suppression import hashed, held_back, load_suppression, material_facts
from hooks.knowledge.card_schema import load_cards, load_override_reasons
from hooks.model import RedFlag
from tests.charts import DETECTION, TODAY, chart

RULES, REASONS = load_suppression(), load_override_reasons()
MINUTE, DAY = 60_000, 86_400_000
FACTS = frozenset({"a", "b"})
TOPIC = "calcinosisManagement"


def shown(at: int = 0, verdict: str | None = None, said_at: int = 0, code: str | None = None, **more: object) -> Shown:
    reason = (REASONS.system, code) if code else None
    return replace(Shown(TOPIC, FACTS, at, "user", "encounter", verdict, said_at, reason), **more)  # type: ignore[arg-type]


def held(before: list[Shown], now: int, facts: frozenset[str] = FACTS, **who: object) -> bool:
    who = {"user_key": "user", "encounter_key": None} | who
    return TOPIC in held_back(before, facts, now, RULES, REASONS, **who)  # type: ignore[arg-type]


def test_topics_are_those_of_the_cards() -> None:
    topics = {kind.topic for kind in load_cards().kinds.values()}
    assert RULES.always <= topics
    assert {*RULES.follows, *(t for primaries in RULES.follows.values() for t in primaries)} <= topics


def test_repeat_is_held_back_for_the_same_user_within_the_window_after_the_grace() -> None:
    assert not held([shown()], RULES.grace_minutes * MINUTE)
    assert held([shown()], RULES.grace_minutes * MINUTE + 1)
    assert held([shown()], RULES.repeat_days * DAY - 1)
    assert not held([shown()], RULES.repeat_days * DAY)
    assert not held([shown()], DAY, user_key="another user")
    assert held([shown()], DAY, user_key="another user", encounter_key="encounter")


@pytest.mark.parametrize("reason", REASONS.reasons, ids=lambda reason: reason.code)
def test_each_reason_lasts_as_long_as_it_says(reason: object) -> None:
    said = shown(verdict="overridden", code=reason.code)  # type: ignore[attr-defined]
    days = reason.days  # type: ignore[attr-defined]
    assert held([said], 1, user_key="anybody")
    if days is None:
        assert held([said], 10_000 * DAY, user_key="anybody")
    else:
        assert held([said], days * DAY - 1, user_key="anybody")
        assert not held([said], max(days, RULES.repeat_days) * DAY, user_key="anybody")


def test_dismissing_without_a_reason_holds_for_the_window() -> None:
    assert held([shown(verdict="overridden")], RULES.dismissed_days * DAY - 1, user_key="anybody")
    assert not held([shown(verdict="overridden")], RULES.dismissed_days * DAY, user_key="anybody")


def test_client_that_remembers_gets_no_second_memory_of_dismissals() -> None:
    said = [shown(verdict="overridden", code="patient-ineligible")]
    assert not held(said, 1, client_remembers=True)


def test_accepting_lifts_an_earlier_dismissal() -> None:
    before = [shown(0, "overridden", 5, "patient-ineligible"), shown(1, "accepted", 6)]
    assert not held(before, 7, user_key="anybody")


def test_options_go_with_their_primary_card_and_urgent_cards_stay() -> None:
    before = [shown(verdict="overridden", code="patient-ineligible")]
    assert held_back(before, FACTS, 1, RULES, REASONS) == {TOPIC, "calcinosisOptions"}
    urgent = [replace(card, topic="calcinosisUrgent") for card in before]
    assert held_back(urgent, FACTS, DAY, RULES, REASONS, user_key="user") == frozenset()


cards = st.builds(
    shown,
    at=st.integers(0, 60 * DAY),
    verdict=st.sampled_from([None, "accepted", "overridden"]),
    said_at=st.integers(0, 60 * DAY),
    code=st.sampled_from([None, "unknown-code", *(reason.code for reason in REASONS.reasons)]),
    material=st.frozensets(st.sampled_from("abcd"), max_size=4),
    user_key=st.sampled_from([None, "user", "other"]),
    encounter_key=st.sampled_from([None, "encounter"]),
)


@given(st.lists(cards, max_size=6), st.frozensets(st.sampled_from("abcd"), min_size=1), st.integers(0, 400 * DAY))
def test_a_new_fact_always_speaks(before: list[Shown], facts: frozenset[str], now: int) -> None:
    assert not held(before, now, facts | {"new"}, encounter_key="encounter")


@given(st.lists(cards, max_size=6), st.frozensets(st.sampled_from("abcd")), st.integers(60 * DAY, 400 * DAY))
def test_against_a_plain_reading_of_the_rules(before: list[Shown], facts: frozenset[str], now: int) -> None:
    """Written again from the rules, card by card in the order of what was said."""
    known = [card for card in before if facts <= card.material]
    verdicts = sorted((card for card in known if card.verdict), key=lambda card: card.verdict_ms)
    expected = False
    if (
        verdicts
        and (newest := next(c for c in verdicts if c.verdict_ms == verdicts[-1].verdict_ms)).verdict == "overridden"
    ):
        lasts = {r.code: r.days for r in REASONS.reasons}.get(newest.reason[1] if newest.reason else "", 180)
        expected = lasts is None or newest.verdict_ms + lasts * DAY > now
    seen = [c.at_ms for c in known if c.user_key == "user" and c.at_ms + 30 * DAY > now]
    expected = expected or any(at + 30 * MINUTE < now for at in seen)
    assert held(before, now, facts) == expected


@pytest.mark.parametrize(
    "added",
    [
        "Exam | new stony-hard nodule on the left thigh | -1d",
        "Laboratory | Calcium | 2.40 mmol/L [2.15–2.57] | -1d",
        "Condition | Dermatomyositis | onset -1y",
    ],
)
def test_lesion_calcium_and_disease_are_material(added: str) -> None:
    brain = load_brain(TODAY)
    before = material_facts(brain.understand(chart(DETECTION).raw())[1])
    after = material_facts(brain.understand(chart(DETECTION + added).raw())[1])
    assert before == material_facts(brain.understand(chart(DETECTION).raw())[1])
    assert not after <= before


def test_flag_and_grade_are_material_and_a_creatinine_is_not() -> None:
    brain = load_brain(TODAY)
    _, assessment = brain.understand(chart(DETECTION).raw())
    facts = material_facts(assessment)
    assert not material_facts(replace(assessment, red_flags=(RedFlag("infection", "…"),))) <= facts
    assert not material_facts(replace(assessment, grade="confirmed")) <= facts
    _, with_creatinine = brain.understand(chart(DETECTION + "Laboratory | Creatinine | 70 umol/L | -1d").raw())
    assert material_facts(with_creatinine) == facts


def test_facts_are_kept_as_keyed_hashes() -> None:
    assert hashed(["site elbow"], lambda *parts: f"{'x'.join(parts)}-0123456789abcdef0123") == {"factxsite elbow-"}
