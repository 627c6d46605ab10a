"""Feedback and suppression against a plain model, on both databases: what hypothesis does, a page of Python foretells.

The store and `held_back` are the real ones; the model below is written from the rules alone: repeat window of a user,
one showing an encounter, what each reason does and for how long, what is always shown, what brings a card back.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from cds_service.feedback import FeedbackItem
from cds_service.store import CardRecord, EvaluationRecord, Store, SuggestionRecord
from cds_service.suppression import held_back, load_suppression
from hooks.knowledge.card_schema import load_override_reasons

MINUTE, DAY = 60_000, 86_400_000
PRIMARY, OPTIONS, URGENT = "calcinosisDetection", "calcinosisOptions", "calcinosisUrgent"
RULES, REASONS = load_suppression(), load_override_reasons()
TENANTS, PATIENTS = st.sampled_from("aaaab"), st.sampled_from("xxxxy")
RARELY = st.sampled_from([False] * 5 + [True])
PAUSES = st.sampled_from([0, MINUTE, 31 * MINUTE, DAY, 6 * DAY, 8 * DAY, 31 * DAY, 181 * DAY, 366 * DAY])
LASTS = {"action-completed": 365, "patient-ineligible": None, "wrong-time-workflow": 7, "expert-contradicts": 180}
UNSAID = 180
"""a dismissal without a reason, or with one that is not ours: 180 days."""


@dataclass
class Seen:
    """What the model remembers of a card that was shown."""

    uuid: str
    tenant: str
    patient: str
    topic: str
    facts: frozenset[str]
    at: int
    user: str
    encounter: str | None
    words: list[tuple[int, int, str, str | None]] = field(default_factory=list)
    """(said at, order of arrival, outcome, reason)."""


class Remembering(RuleBasedStateMachine):
    """One store, two tenants, two patients each; time only goes forward."""

    def __init__(self) -> None:
        super().__init__()
        with self.store.engine.begin() as connection:
            for table in ("feedback", "suggestions", "cards", "evaluations"):
                connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - names of our own
        self.now = 1_000 * DAY
        self.seen: list[Seen] = []
        self.items: set[tuple[Any, ...]] = set()
        self.numbers, self.arrivals = itertools.count(1), itertools.count(1)
        self.facts = {(t, p): frozenset({"grade", "lesion-1"}) for t in "ab" for p in "xy"}

    store: Store
    """one for all runs, emptied before each: migrations take longer than a run."""

    # What happens -----------------------------------------------------------------------------------------------------

    @rule(tenant=TENANTS, patient=PATIENTS, what=st.sampled_from(["lesion-2", "calcium", "ctd"]), gone=RARELY)
    def something_changes(self, tenant: str, patient: str, what: str, gone: bool) -> None:
        """A new fact, or one that is gone again, which is no news."""
        self.facts[tenant, patient] = frozenset({"grade"}) if gone else self.facts[tenant, patient] | {what}

    @rule(
        tenant=TENANTS,
        patient=PATIENTS,
        user=st.sampled_from(["u1", "u2", "u3"]),
        encounter=st.sampled_from([None, None, None, "e1"]),
        urgent=RARELY,
        remembers=RARELY,
        pause=PAUSES,
    )
    def chart_is_opened(
        self, tenant: str, patient: str, user: str, encounter: str | None, urgent: bool, remembers: bool, pause: int
    ) -> None:
        self.now += pause
        written = [URGENT] if urgent else [PRIMARY, OPTIONS]
        facts = self.facts[tenant, patient]
        key = self.store.key(tenant, "patient", patient)
        held = held_back(
            self.store.shown_before(tenant, key),
            facts,
            self.now,
            RULES,
            REASONS,
            user_key=user,
            encounter_key=encounter,
            client_remembers=remembers,
        )
        shown = [topic for topic in written if topic not in held]
        assert shown == self._expected(written, tenant, patient, facts, user, encounter, remembers)
        number = next(self.numbers)
        cards = tuple(
            CardRecord(f"c{number}-{topic}", topic, facts, (SuggestionRecord(f"s{number}-{topic}", "x"),))
            for topic in shown
        )
        self.store.record(
            [
                EvaluationRecord(
                    f"e{number}", self.now, tenant, "s", key, "1", "likely", "detection",
                    "shown" if shown else "suppressed", 1.0, user, encounter, cards=cards,
                )
            ]
        )  # fmt: skip
        self.seen += [Seen(c.uuid, tenant, patient, c.topic, facts, self.now, user, encounter) for c in cards]

    @rule(
        data=st.data(),
        outcome=st.sampled_from(["accepted", "overridden", "overridden"]),
        reason=st.sampled_from([None, "not-ours", *LASTS]),
        late=st.sampled_from([0, 0, MINUTE, DAY]),
        again=st.integers(1, 2),
        unknown=RARELY,
    )
    def clinician_says(
        self, data: st.DataObject, outcome: str, reason: str | None, late: int, again: int, unknown: bool
    ) -> None:
        """Any order of arrival, sometimes twice; sometimes about a card that nobody has shown."""
        if unknown:
            item = FeedbackItem("none of ours", "overridden", datetime.fromtimestamp(self.now / 1000, UTC))
            self.store.add_feedback("a", "s", [item], self.now)
        if not self.seen:
            return
        card = data.draw(st.sampled_from(self.seen[-4:]))
        at = max(card.at, self.now - late)
        accepted = (f"s-{card.uuid}",) if outcome == "accepted" else ()
        coded = (REASONS.system, reason) if reason and outcome == "overridden" else None
        item = FeedbackItem(card.uuid, outcome, datetime.fromtimestamp(at / 1000, UTC), accepted, coded)  # type: ignore[arg-type]
        new = sum(self.store.add_feedback(card.tenant, "s", [item], self.now) for _ in range(again))
        named = (card.tenant, card.uuid, outcome, at, accepted)
        assert new == (named not in self.items)
        if named not in self.items:
            self.items.add(named)
            card.words.append((at, next(self.arrivals), outcome, coded[1] if coded else None))

    @rule(tenant=TENANTS, patient=PATIENTS, wanted=RARELY)
    def patient_is_erased(self, tenant: str, patient: str, wanted: bool) -> None:
        if not wanted:
            return
        self.store.erase(tenant, self.store.key(tenant, "patient", patient), self.now)
        gone = {card.uuid for card in self.seen if (card.tenant, card.patient) == (tenant, patient)}
        self.seen = [card for card in self.seen if card.uuid not in gone]
        self.items = {item for item in self.items if item[1] not in gone}

    # What must hold ---------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Nothing that was shown is lost."""
        for tenant, patient in self.facts:
            kept = self.store.shown_before(tenant, self.store.key(tenant, "patient", patient))
            mine = [card for card in self.seen if (card.tenant, card.patient) == (tenant, patient)]
            assert sorted((s.topic, s.at_ms) for s in kept) == sorted((c.topic, c.at) for c in mine)

    # The model --------------------------------------------------------------------------------------------------------

    def _expected(
        self, written: list[str], tenant: str, patient: str, facts: frozenset[str], user: str, encounter: str | None,
        remembers: bool,
    ) -> list[str]:  # fmt: skip
        known = [
            card
            for card in self.seen
            if (card.tenant, card.patient) == (tenant, patient) and facts <= card.facts and card.topic != URGENT
        ]
        quiet = set()
        for topic in (PRIMARY, OPTIONS):
            mine = [card for card in known if card.topic == topic]
            if not remembers and self._dismissed(mine):
                quiet |= {topic} | ({OPTIONS} if topic == PRIMARY else set())
            if self._repeated(mine, user, encounter):
                quiet.add(topic)
        return [topic for topic in written if topic not in quiet]

    def _dismissed(self, mine: list[Seen]) -> bool:
        latest = [max(card.words) for card in mine if card.words]
        if not latest:
            return False
        newest = max(word[0] for word in latest)
        verdicts = {word[2:] for word in latest if word[0] == newest}
        if len(verdicts) > 1:  # said at the same moment of two cards: the newest card's word counts
            card = next(c for c in sorted(mine, key=lambda c: -c.at) if c.words and max(c.words)[0] == newest)
            verdicts = {max(card.words)[2:]}
        ((outcome, reason),) = verdicts
        days = LASTS.get(reason, UNSAID) if reason else UNSAID
        return outcome == "overridden" and (days is None or self.now < newest + days * DAY)

    def _repeated(self, mine: list[Seen], user: str, encounter: str | None) -> bool:
        times = [
            card.at
            for card in mine
            if (card.user == user and self.now - card.at < 30 * DAY)
            or (encounter is not None and card.encounter == encounter)
        ]
        return bool(times) and self.now - min(times) > 30 * MINUTE


def run(url: str, examples: int, steps: int) -> None:
    store = Store(url)
    machine = type("Machine", (Remembering,), {"store": store})
    quick = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
        phases=[Phase.generate],  # a history is readable as it is, and shrinking one takes minutes
    )
    try:
        run_state_machine_as_test(machine, settings=quick)
    finally:
        store.close()


def test_the_model_knows_the_rules_of_the_data() -> None:
    assert {reason.code: reason.days for reason in REASONS.reasons} == LASTS
    assert (RULES.repeat_days, RULES.grace_minutes, RULES.dismissed_days) == (30, 30, UNSAID)


def test_on_any_database(database: str) -> None:
    run(database, *((60, 25) if database.startswith("sqlite") else (10, 20)))


@pytest.mark.long
def test_a_deep_search(database: str) -> None:
    run(database, 1500, 50)
