"""The data holds every test of the safety table, none dropped and none altered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hooks.knowledge.base import KnowledgeError, parse
from hooks.knowledge.evidence import load_evidence
from hooks.knowledge.safety_schema import Condition, RuleFile, load_safety
from hooks.knowledge.therapy_schema import load_therapies
from tests.safety.table import EVERY, typed

SAFETY = load_safety()


def test_all_149_tests_are_there_in_table_order():
    assert [rule.id for rule in SAFETY.rules] == list(typed())
    assert len(SAFETY.rules) == 149


@pytest.mark.parametrize("rule", SAFETY.rules, ids=lambda rule: rule.id)
def test_agents_action_and_order_are_as_typed(rule):
    agents, action, off = typed()[rule.id]
    assert set(SAFETY.agents_of(rule)) == agents
    assert (rule.action, rule.order_off) == (action, off)


def test_every_contract_therapy_is_known_and_every_agent_is_a_therapy():
    assert {therapy.id for therapy in load_therapies().therapies} == set(EVERY.split())
    agents = {agent for rule in SAFETY.rules for agent in SAFETY.agents_of(rule)}
    assert agents == {*EVERY.split(), "card-text", "skin-biopsy"}


def test_sources_resolve():
    used = [key for rule in SAFETY.rules for key in rule.sources]
    used += [key for t in load_therapies().therapies for e in t.evidence for key in (*e.sources, *t.sources)]
    assert load_evidence().missing(tuple(used)) == ()


def test_a_label_is_cited_for_its_own_drug_alone():
    pregnancy = next(rule for rule in SAFETY.rules if rule.id == "G2.3")
    assert set(pregnancy.sources_for("diltiazem")) == {"dilt_hk", "dilt_pt", "dilt_it"}
    assert pregnancy.sources_for("minocycline") == ("mino_label",)
    assert pregnancy.sources_for("colchicine") == ()
    spoken = {key for agent in SAFETY.agents_of(pregnancy) for key in pregnancy.sources_for(agent)}
    assert spoken == set(pregnancy.sources)
    for rule in SAFETY.rules:
        assert {agent for agents in rule.speaks_of.values() for agent in agents} <= set(SAFETY.agents_of(rule)), rule.id


def test_unverified_rules_act_only_cautiously():
    loose = [
        r.id for r in SAFETY.rules if r.basis == "unverified" and r.action not in ("block", "need", "warn", "none")
    ]
    assert loose == []
    assert all(rule.sources for rule in SAFETY.rules if rule.basis == "source")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"action": "allow"}, "action"),
        ({"when": {"dx": ["a"], "hx": ["b"]}}, "when"),
        ({"when": {"symptom": ["a"]}}, "when"),
        ({"colour": "red"}, "colour"),
        ({"id": "d4"}, "id"),
        ({"cap": {"text": "x", "amount": 1, "unit": "mg/d"}}, "rules.0"),
    ],
)
def test_a_wrong_rule_is_refused_by_name(change, key):
    rule = {
        "id": "X1.1",
        "agents": ["diltiazem"],
        "when": {"always": True},
        "action": "warn",
        "text": "A sentence for the clinician",
        "sources": [],
        "basis": "inference",
    }
    parse("safety/x.yaml", {"rules": [rule]}, RuleFile)
    with pytest.raises(KnowledgeError) as error:
        parse("safety/x.yaml", {"rules": [rule | change]}, RuleFile)
    assert key in error.value.key


def test_the_documented_rule_is_the_real_one_and_every_key_is_described():
    page = (Path(__file__).parents[2] / "docs" / "safety.md").read_text(encoding="utf-8")
    shown = yaml.safe_load(re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1])
    (rule,) = parse("docs/safety.md", {"rules": shown}, RuleFile).rules
    assert rule == next(known for known in SAFETY.rules if known.id == rule.id)
    keys = {field.alias or name for name, field in Condition.model_fields.items()}
    inner = {"always", "first_of", "any_failed", "therapy_need"}
    assert {key for key in keys - inner if f"`{key}`" not in page} == set()
