"""Which tests of the safety table fire for a patient, and what the strictest of them says about an agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hooks.knowledge.safety_schema import Cap, Rule, Safety
from hooks.knowledge.therapy_schema import Therapies, Therapy
from hooks.therapy.conditions import Compiler, Test, about_agent
from hooks.therapy.view import Hit, View

_STRICTNESS = {"block": 0, "need": 1, "replace": 2, "cap": 4, "warn": 5, "none": 6}
_WARN_OFF = 3


@dataclass(frozen=True, slots=True)
class Fired:
    """A test that holds, and why. `order_off` may differ from the rule's own (the pair rule)."""

    rule: Rule
    hit: Hit
    order_off: bool

    @property
    def strictness(self) -> int:
        if self.rule.action in ("warn", "cap") and self.order_off:
            return _WARN_OFF if self.rule.action == "warn" else _STRICTNESS["cap"]
        return _STRICTNESS[self.rule.action]


@dataclass(frozen=True, slots=True)
class _Entry:
    rule: Rule
    test: Test
    per_agent: bool
    agents: frozenset[str]


@dataclass(slots=True)
class Rulebook:
    """The compiled table; holds no patient."""

    entries: tuple[_Entry, ...]
    fits: Mapping[str, Test]
    pairs: tuple[Rule, ...]
    agents: Mapping[str, tuple[_Entry, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, safety: Safety, therapies: Therapies) -> Rulebook:
        named = safety.vocabulary.conditions
        compiler = Compiler(named, safety.vocabulary.analytes)
        entries, pairs = [], []
        for rule in safety.rules:
            if rule.when.first_of is not None:
                pairs.append(rule)
            test = compiler.compile(rule.when)
            entries.append(_Entry(rule, test, about_agent(rule.when, named), frozenset(safety.agents_of(rule))))
        by_agent: dict[str, list[_Entry]] = {}
        for entry in entries:
            for agent in entry.agents:
                by_agent.setdefault(agent, []).append(entry)
        fits = {therapy.id: compiler.compile(therapy.fits) for therapy in therapies.therapies}
        return cls(tuple(entries), fits, tuple(pairs), {agent: tuple(found) for agent, found in by_agent.items()})

    def evaluate(self, view: View) -> dict[str, Hit | None]:
        """Every test that does not depend on the agent, by id."""
        hits: dict[str, Hit | None] = {}
        for entry in self.entries:
            if not entry.per_agent:
                hits[entry.rule.id] = entry.test(view, None, hits)
        return hits

    def fired(self, agent: str, therapy: Therapy | None, view: View, hits: Mapping[str, Hit | None]) -> list[Fired]:
        """The tests that fire for one agent, in table order."""
        found = []
        for entry in self.agents.get(agent, ()):
            hit = entry.test(view, therapy, hits) if entry.per_agent else hits[entry.rule.id]
            if hit is not None:
                found.append(Fired(entry.rule, hit, entry.rule.order_off))
        return found

    def suits(self, therapy: Therapy, view: View) -> bool:
        return self.fits[therapy.id](view, therapy, {}) is not None


_BOOKS: dict[tuple[int, int], tuple[Safety, Therapies, Rulebook]] = {}


def rulebook(safety: Safety, therapies: Therapies) -> Rulebook:
    """The compiled form of this knowledge, made once (the key objects are kept, so an id is never reused)."""
    key = (id(safety), id(therapies))
    if key not in _BOOKS:
        _BOOKS[key] = (safety, therapies, Rulebook.of(safety, therapies))
    return _BOOKS[key][2]


def strictest(fired: list[Fired]) -> Fired | None:
    """The test that decides; of equally strict ones the first in table order. Notes alone decide nothing."""
    deciding = [entry for entry in fired if entry.rule.action != "none"]
    return min(deciding, key=lambda entry: entry.strictness) if deciding else None


def lowest_caps(caps: list[Cap]) -> str | None:
    """The lowest ceiling; ceilings in units that can't be compared stand beside each other."""
    lowest: dict[str, Cap] = {}
    for cap in caps:
        if cap.unit not in lowest or cap.amount < lowest[cap.unit].amount:
            lowest[cap.unit] = cap
    return "; ".join(cap.text for cap in lowest.values()) or None
