"""Which tests of the safety table fire for a patient, and what the strictest of them says about an agent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter

from msgspec import Struct

from hooks.knowledge.safety_schema import Action, Cap, Rule, Safety
from hooks.knowledge.therapy_schema import Therapies, Therapy
from hooks.therapy.conditions import Compiler, Test, about_agent
from hooks.therapy.scope import Candidates, Scope
from hooks.therapy.single_tests import HOLDS
from hooks.therapy.view import Hit, View

_STRICTNESS = {"block": 0, "need": 1, "replace": 2, "cap": 4, "warn": 5, "none": 6}
_WARN_OFF = 3
_NO_DRAFT = frozenset({"block", "need", "replace"})


class Fired(Struct, frozen=True):
    """A test that holds, and why; made once for a patient and shared by the agents it concerns."""

    rule: Rule
    id: str
    action: Action
    reported: str
    """as the rule is named in answers."""
    hit: Hit
    order_off: bool
    """may differ from the rule's own (the pair rule)."""
    position: int
    """in table order."""
    strictness: int
    forbids_draft: bool
    note: str
    """the rule's sentence, with at most three of the facts behind it."""
    agents: frozenset[str] = frozenset()

    def because_of(self, hit: Hit) -> Fired:
        """The same on what a chart says."""
        facts = hit.said[:3]
        return Fired(
            self.rule,
            self.id,
            self.action,
            self.reported,
            hit,
            self.order_off,
            self.position,
            self.strictness,
            self.forbids_draft,
            f"{self.rule.text} ({'; '.join(facts)})." if facts else self.note,
            self.agents,
        )


_position = attrgetter("position")
_strictness = attrgetter("strictness")


def fire(rule: Rule, position: int, order_off: bool, agents: frozenset[str] = frozenset()) -> Fired:
    """A test that holds where there is no fact to tell."""
    action = rule.action
    strictness = _WARN_OFF if order_off and action == "warn" else _STRICTNESS[action]
    no_draft, note = order_off or action in _NO_DRAFT, f"{rule.text}."
    return Fired(rule, rule.id, action, rule.reported, HOLDS, order_off, position, strictness, no_draft, note, agents)


class _Entry(Struct, frozen=True):
    rule: Rule
    test: Test
    position: int
    id: str
    agents: frozenset[str]
    plain: Fired
    """when it holds and there is no fact to tell."""
    asks: str | None
    """what it asks of an agent."""

    def asked(self, view: View, therapy: Therapy | None, hits: Mapping[str, Hit | None]) -> Fired | None:
        hit = self.test(view, therapy, hits)
        if hit is None:
            return None
        return self.plain if hit is HOLDS else self.plain.because_of(hit)


class _Settled(Struct, frozen=True):
    """What the chart alone decides, its lesions left aside: the tests that hold, all and by agent, in table order."""

    fired: tuple[Fired, ...]
    hits: Mapping[str, Hit]
    by_agent: Mapping[str, tuple[Fired, ...]]


class Rulebook(Struct, frozen=True):
    """The compiled table; holds no patient. A test runs only where the chart holds something that it needs; those that
    the chart alone answers run once for it, those of the case once for each case, those of the agent for each agent."""

    settled: tuple[_Entry, ...]
    candidates: Candidates
    """which of the settled ones can hold."""
    of_case: tuple[_Entry, ...]
    per_agent: Mapping[str, tuple[_Entry, ...]]
    own_of_case: Mapping[str, tuple[_Entry, ...]]
    concerns: frozenset[str]
    """every agent that a test speaks of."""
    fits: Mapping[str, Test]
    pairs: tuple[_Entry, ...]
    therapies: Mapping[str, Therapy]
    sources: Mapping[str, tuple[str, ...]]
    """what a therapy itself rests on."""
    sources_for: Mapping[tuple[str, str], tuple[str, ...]]
    """the sources that carry a test (by id) for an agent."""
    of_drugs: frozenset[str]
    """the tests (by id) that ask for a drug."""

    @classmethod
    def of(cls, safety: Safety, therapies: Therapies) -> Rulebook:
        named = safety.vocabulary.conditions
        compiler = Compiler(named, safety.vocabulary.analytes)
        scope = Scope(named, {rule.id: rule.when for rule in safety.rules})
        settled: list[_Entry] = []
        of_case: list[_Entry] = []
        pairs: list[_Entry] = []
        own: dict[bool, dict[str, list[_Entry]]] = {True: {}, False: {}}
        for position, rule in enumerate(safety.rules):
            agents = frozenset(safety.agents_of(rule))
            plain = fire(rule, position, rule.order_off, agents)
            entry = _Entry(rule, compiler.compile(rule.when), position, rule.id, agents, plain, rule.when.agent)
            alone = scope.settled(rule.when)
            if rule.when.first_of is not None:
                pairs.append(entry)
            elif not about_agent(rule.when, named):
                (settled if alone else of_case).append(entry)
            else:
                for agent in agents:
                    own[alone].setdefault(agent, []).append(entry)
        known = (*settled, *of_case)
        return cls(
            tuple(settled),
            Candidates.of(scope.needed(entry.rule.when) for entry in settled),
            tuple(of_case),
            {agent: tuple(entries) for agent, entries in own[True].items()},
            {agent: tuple(entries) for agent, entries in own[False].items()},
            frozenset[str]().union(*(entry.agents for entry in known)),
            {therapy.id: compiler.compile_kept(therapy.fits) for therapy in therapies.therapies},
            tuple(pairs),
            {therapy.id: therapy for therapy in therapies.therapies},
            {therapy.id: _sources(therapy) for therapy in therapies.therapies},
            {(rule.id, agent): rule.sources_for(agent) for rule in safety.rules for agent in safety.agents_of(rule)},
            frozenset(rule.id for rule in safety.rules if scope.asks_for_drugs(rule.when)),
        )

    def evaluate(self, view: View, only: str | None = None) -> tuple[Fired, ...]:
        """Every test that holds and does not depend on the agent, in table order; `only` those of one agent."""
        found: tuple[Fired, ...] | None = view.fired.get(id(self))
        if found is None:
            chart = self._settled(view)
            more = self._of_case(view, chart)
            found = _in_order(chart.fired, more) if more else chart.fired
            view.fired[id(self)] = found
        if only is None:
            return found
        return tuple(fired for fired in found if only in fired.agents)

    def fired(self, view: View) -> Callable[[str], list[Fired]]:
        """The tests that hold for one agent, in table order, by its id."""
        chart = self._settled(view)
        of_case = self._of_case(view, chart)

        def of_agent(agent: str) -> list[Fired]:
            more = [fired for fired in of_case if agent in fired.agents]
            for entry in self.own_of_case.get(agent, ()):
                one = entry.asked(view, self.therapies.get(agent), {})
                if one is not None:
                    more.append(one)
            alone = chart.by_agent.get(agent, ())
            return sorted((*alone, *more), key=_position) if more else list(alone)

        return of_agent

    def suits(self, therapy: Therapy, view: View) -> bool:
        return self.fits[therapy.id](view, therapy, {}) is not None

    def _settled(self, view: View) -> _Settled:
        key = (_Settled, id(self))
        memory = view.chart.memory
        if key not in memory:
            memory[key] = self._settle(view)
        found: _Settled = memory[key]
        return found

    def _settle(self, view: View) -> _Settled:
        hits: dict[str, Hit] = {}
        fired: list[Fired] = []
        by_agent: dict[str, list[Fired]] = {}
        for number in self.candidates.within(view.chart):
            entry = self.settled[number]
            one = entry.asked(view, None, hits)
            if one is not None:
                hits[entry.id] = one.hit
                fired.append(one)
                for agent in one.agents:
                    by_agent.setdefault(agent, []).append(one)
        idle = view.idle
        for agent, entries in self.per_agent.items():
            therapy = self.therapies.get(agent)
            asked = [entry.asked(view, therapy, {}) for entry in entries if entry.asks not in idle]
            own = [one for one in asked if one is not None]
            if own:
                by_agent[agent] = list(_in_order(by_agent.get(agent, ()), own))
        return _Settled(tuple(fired), hits, {agent: tuple(found) for agent, found in by_agent.items()})

    def _of_case(self, view: View, chart: _Settled) -> list[Fired]:
        key = ("of case", id(self))
        found: list[Fired] | None = view.fired.get(key)
        if found is None:
            hits = dict(chart.hits)
            found = []
            for entry in self.of_case:
                one = entry.asked(view, None, hits)
                if one is not None:
                    hits[entry.id] = one.hit
                    found.append(one)
            view.fired[key] = found
        return found


def _in_order(some: Iterable[Fired], others: Iterable[Fired]) -> tuple[Fired, ...]:
    return tuple(sorted((*some, *others), key=_position))


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
    top = min(fired, key=_strictness, default=None)
    return None if top is None or top.action == "none" else top


def lowest_caps(caps: list[Cap]) -> str | None:
    """The lowest ceiling; ceilings in units that can't be compared stand beside each other."""
    lowest: dict[str, Cap] = {}
    for cap in caps:
        if cap.unit not in lowest or cap.amount < lowest[cap.unit].amount:
            lowest[cap.unit] = cap
    return "; ".join(cap.text for cap in lowest.values()) or None
