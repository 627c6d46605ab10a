"""What a rule is called decides nothing: the table itself says which rules are of the order, of failure and of use."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from hooks.chart import Chart
from hooks.knowledge import load_knowledge
from hooks.knowledge.safety_schema import Condition, Safety
from hooks.knowledge.therapy_schema import Therapies
from hooks.model import TherapyItem
from hooks.therapy import decide_therapies
from tests.safety.generator import DAY, charts

KNOWLEDGE = load_knowledge()


@dataclass(frozen=True)
class Renamed:
    """The knowledge with other names for the rules of one group."""

    safety: Safety
    therapies: Therapies = KNOWLEDGE.therapies


def _other(rule_id: str) -> str:
    return rule_id.replace("G", "Z") if rule_id.startswith("G") else rule_id


def _condition(condition: Condition) -> Condition:
    return condition if condition.rule is None else condition.model_copy(update={"rule": _other(condition.rule)})


def renamed() -> Renamed:
    rules = [
        rule.model_copy(update={"id": _other(rule.id), "when": _condition(rule.when)})
        for rule in KNOWLEDGE.safety.rules
    ]
    return Renamed(KNOWLEDGE.safety.model_copy(update={"rules": tuple(rules)}))


def _without_names(item: TherapyItem) -> TherapyItem:
    used = None if item.in_use is None else replace(item.in_use, rules=())
    return replace(item, rules=(), in_use=used)


def test_therapies_are_decided_alike_whatever_the_general_rules_are_called() -> None:
    other = renamed()
    seen: set[str] = set()
    for drawn in charts(seed=11, count=120):
        chart = Chart(drawn.facts, DAY)
        usual = decide_therapies(chart, drawn.case, KNOWLEDGE)
        seen.update(item.decision for item in usual)
        seen.update("in use" for item in usual if item.in_use is not None)
        given = decide_therapies(chart, drawn.case, other)
        assert [_without_names(item) for item in given] == [_without_names(item) for item in usual]
    assert {"block", "not-indicated", "in use"} <= seen
