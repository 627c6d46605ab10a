"""Which tests of the safety table fire for a patient, and what the strictest of them says about an agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hooks.knowledge.safety_schema import Cap, Rule, Safety
from hooks.knowledge.therapy_schema import Therapies, Therapy
from hooks.therapy.conditions import Compiler, Test, about_agent
from hooks.therapy.view import Hit, View

_STRICTNESS = {"block": 0, "need": 1, "replace": 2, "cap": 4, "warn": 5, "none": 6}
_WARN_OFF = 3
_NO_DRAFT = frozenset({"block", "need", "replace"})


@dataclass(frozen=True, slots=True)
class Fired:
    """A test that holds, and why; made once for a patient and shared by the agents it concerns."""

    rule: Rule
    hit: Hit
    order_off: bool
    """may differ from the rule's own (the pair rule)."""
    position: int
    """in table order."""
    strictness: int
    forbids_draft: bool
    note: str
    """the rule's sentence, with at most three of the facts behind it."""


def fire(rule: Rule, position: int, hit: Hit, order_off: bool) -> Fired:
    facts = hit.said[:3]
    note = f"{rule.text} ({'; '.join(facts)})." if facts else f"{rule.text}."
    strictness = _WARN_OFF if order_off and rule.action == "warn" else _STRICTNESS[rule.action]
    return Fired(rule, hit, order_off, position, strictness, order_off or rule.action in _NO_DRAFT, note)


@dataclass(frozen=True, slots=True)
class _Entry:
    rule: Rule
    test: Test
    position: int
    id: str


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The compiled table; holds no patient. Tests about the agent itself run for each agent, the others once."""

    once: tuple[_Entry, ...]
    per_agent: Mapping[str, tuple[_Entry, ...]]
    concerns: Mapping[str, frozenset[str]]
    fits: Mapping[str, Test]
    pairs: tuple[_Entry, ...]
    sources: Mapping[str, tuple[str, ...]]
    """what a therapy itself rests on."""

    @classmethod
    def of(cls, safety: Safety, therapies: Therapies) -> Rulebook:
        named = safety.vocabulary.conditions
        compiler = Compiler(named, safety.vocabulary.analytes)
        once: list[_Entry] = []
        pairs: list[_Entry] = []
        per_agent: dict[str, list[_Entry]] = {}
        concerns: dict[str, set[str]] = {}
        for position, rule in enumerate(safety.rules):
            entry = _Entry(rule, compiler.compile(rule.when), position, rule.id)
            if rule.when.first_of is not None:
                pairs.append(entry)
                continue
            own = about_agent(rule.when, named)
            if not own:
                once.append(entry)
            for agent in safety.agents_of(rule):
                if own:
                    per_agent.setdefault(agent, []).append(entry)
                else:
                    concerns.setdefault(agent, set()).add(rule.id)
        return cls(
            tuple(once),
            {agent: tuple(entries) for agent, entries in per_agent.items()},
            {agent: frozenset(ids) for agent, ids in concerns.items()},
            {therapy.id: compiler.compile(therapy.fits) for therapy in therapies.therapies},
            tuple(pairs),
            {therapy.id: _sources(therapy) for therapy in therapies.therapies},
        )

    def evaluate(self, view: View, only: str | None = None) -> tuple[Fired, ...]:
        """Every test that holds and does not depend on the agent, in table order; `only` those of one agent (whose
        tests refer to no others)."""
        hits: dict[str, Hit | None] = {}
        found: list[Fired] = []
        concerned = self.concerns.get(only, frozenset()) if only is not None else None
        for entry in self.once:
            if concerned is not None and entry.id not in concerned:
                continue
            hit = entry.test(view, None, hits)
            hits[entry.id] = hit
            if hit is not None:
                found.append(fire(entry.rule, entry.position, hit, entry.rule.order_off))
        return tuple(found)

    def fired(self, agent: str, therapy: Therapy | None, view: View, common: tuple[Fired, ...]) -> list[Fired]:
        """The tests that hold for one agent, in table order."""
        concerned = self.concerns.get(agent, frozenset())
        found = [fired for fired in common if fired.rule.id in concerned]
        own = False
        for entry in self.per_agent.get(agent, ()):
            hit = entry.test(view, therapy, {})
            if hit is not None:
                found.append(fire(entry.rule, entry.position, hit, entry.rule.order_off))
                own = True
        if own:
            found.sort(key=lambda fired: fired.position)
        return found

    def suits(self, therapy: Therapy, view: View) -> bool:
        return self.fits[therapy.id](view, therapy, {}) is not None


def _sources(therapy: Therapy) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*therapy.sources, *(key for entry in therapy.evidence for key in entry.sources))))


_BOOKS: dict[tuple[int, int], tuple[Safety, Therapies, Rulebook]] = {}


def rulebook(safety: Safety, therapies: Therapies) -> Rulebook:
    """The compiled form of this knowledge, made once (the key objects are kept, so an id is never reused)."""
    key = (id(safety), id(therapies))
    if key not in _BOOKS:
        _BOOKS[key] = (safety, therapies, Rulebook.of(safety, therapies))
    return _BOOKS[key][2]


def strictest(fired: list[Fired]) -> Fired | None:
    """The test that decides; of equally strict ones the first in table order. Notes alone decide nothing."""
    top = min(fired, key=lambda entry: entry.strictness, default=None)
    return None if top is None or top.rule.action == "none" else top


def lowest_caps(caps: list[Cap]) -> str | None:
    """The lowest ceiling; ceilings in units that can't be compared stand beside each other."""
    lowest: dict[str, Cap] = {}
    for cap in caps:
        if cap.unit not in lowest or cap.amount < lowest[cap.unit].amount:
            lowest[cap.unit] = cap
    return "; ".join(cap.text for cap in lowest.values()) or None
