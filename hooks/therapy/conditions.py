"""The condition language, compiled once into plain functions: a View in, a Hit (it holds) or None out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hooks.knowledge.safety_schema import (
    Analyte,
    Condition,
    LesionTest,
    walk,
)
from hooks.knowledge.therapy_schema import Therapy
from hooks.therapy.scope import Scope
from hooks.therapy.single_tests import (
    HOLDS,
    age_test,
    allergy_test,
    criterion_test,
    joined,
    lab_test,
    lesion_test,
    medication_test,
    unknown_test,
    unread_test,
)
from hooks.therapy.view import Hit, View, said_finding

Test = Callable[[View, Therapy | None, Mapping[str, Hit | None]], Hit | None]
"""(patient, agent asked about, hits of the rules evaluated so far) -> Hit or None."""


def about_agent(condition: Condition, named: Mapping[str, Condition]) -> bool:
    """Whether the answer depends on the agent that is asked about."""
    return _mentions("agent", condition, named)


def _mentions(kind: str, condition: Condition, named: Mapping[str, Condition]) -> bool:
    return any(
        getattr(part, kind) is not None or (part.is_ is not None and _mentions(kind, named[part.is_], named))
        for part in walk(condition)
    )


class Compiler:
    """Turns conditions into tests; named conditions are compiled once and shared."""

    def __init__(self, named: Mapping[str, Condition], analytes: Mapping[str, Analyte]) -> None:
        self._named = named
        self._names = {key: entry.name for key, entry in analytes.items()}
        self._scope = Scope(named, {})
        self._done: dict[str, Test] = {}

    def compile(self, condition: Condition) -> Test:
        kind = condition.kind
        if kind in ("all", "any"):
            parts = (condition.all if kind == "all" else condition.any) or ()
            one = self.compile if self._scope.stands_alone(condition) else self.compile_kept
            tests = tuple(one(part) for part in parts)
            return _all(tests) if kind == "all" else _any(tests)
        if kind == "not_" and condition.not_ is not None:
            inner = self.compile(condition.not_)
            return lambda view, agent, fired: None if inner(view, agent, fired) is not None else HOLDS
        if kind == "is_" and condition.is_ is not None:
            name = condition.is_
            if name not in self._done:
                inner = self.compile(self._named[name])
                more = any(_mentions(kind, self._named[name], self._named) for kind in ("agent", "rule"))
                alone = self._scope.stands_alone(self._named[name])
                self._done[name] = inner if more else _kept(inner) if alone else _remembered(name, inner)
            return self._done[name]
        return self._leaf(condition, kind)

    def compile_kept(self, condition: Condition) -> Test:
        """The same; what the chart alone answers is asked once a chart."""
        test = self.compile(condition)
        cheap = condition.kind in ("is_", "always", "sex", "age_unknown")
        return test if cheap or not self._scope.stands_alone(condition) else _kept(test)

    def _leaf(self, condition: Condition, kind: str) -> Test:
        value = getattr(condition, kind)
        names = frozenset(value) if kind in ("missing", "therapy_need") else frozenset[str]()
        if kind == "always":
            return lambda view, agent, fired: HOLDS
        if kind == "rule":
            return lambda view, agent, fired: fired.get(value)
        if kind == "finding":
            return lambda view, agent, fired: joined([said_finding(f) for f in view.finding(value)])
        if kind in ("dx", "hx", "absent"):
            return _findings(kind, value)
        if kind == "drug":
            return _drugs(value)
        if kind == "agent":
            return _agent(value)
        if kind == "lesion":
            return _lesions(value)
        simple: dict[str, Test] = {
            "medication": lambda view, agent, fired: medication_test(view, value),
            "lab": lambda view, agent, fired: lab_test(view, value, self._names.get(value.analyte, value.analyte)),
            "unknown": lambda view, agent, fired: unknown_test(view, value, self._names),
            "age": lambda view, agent, fired: age_test(view, value),
            "age_unknown": lambda view, agent, fired: HOLDS if view.chart.age is None else None,
            "sex": lambda view, agent, fired: HOLDS if view.facts.sex in value else None,
            "allergy": lambda view, agent, fired: allergy_test(view, value),
            "flag": lambda view, agent, fired: joined([Hit(f.evidence) for f in view.case.red_flags if f.id in value]),
            "grade": lambda view, agent, fired: HOLDS if view.case.grade in value else None,
            "extent": lambda view, agent, fired: HOLDS if view.case.criteria.lesion.extent in value else None,
            "criterion": lambda view, agent, fired: criterion_test(view, value),
            "unread": lambda view, agent, fired: unread_test(view, value),
            "missing": lambda view, agent, fired: None if names.isdisjoint(view.case.missing) else HOLDS,
            "mimic": lambda view, agent, fired: joined(
                [Hit(d.evidence, (d.because,)) for d in view.case.differential if d.id in value]
            ),
            "any_failed": lambda view, agent, fired: view.any_failed(),
            "first_of": lambda view, agent, fired: None,
            "therapy_need": lambda view, agent, fired: None if names.isdisjoint(view.therapy_needs) else HOLDS,
        }
        return simple[kind]


def _remembered(name: str, test: Test) -> Test:
    """Asked once for each patient: many rules share a named condition that is about nothing else."""

    def run(view: View, agent: Therapy | None, fired: Mapping[str, Hit | None]) -> Hit | None:
        memo = view.memo
        if name not in memo:
            memo[name] = test(view, None, {})
        return memo[name]

    return run


def _kept(test: Test) -> Test:
    """Asked once for each chart, whatever is supposed of its lesions."""

    def run(view: View, agent: Therapy | None, fired: Mapping[str, Hit | None]) -> Hit | None:
        memory = view.chart.memory
        if test not in memory:
            memory[test] = test(view, agent, fired)
        found: Hit | None = memory[test]
        return found

    return run


def _all(tests: tuple[Test, ...]) -> Test:
    def run(view: View, agent: Therapy | None, fired: Mapping[str, Hit | None]) -> Hit | None:
        hits = []
        for test in tests:
            hit = test(view, agent, fired)
            if hit is None:
                return None
            if hit is not HOLDS:
                hits.append(hit)
        return Hit.join(hits) if hits else HOLDS

    return run


def _any(tests: tuple[Test, ...]) -> Test:
    def run(view: View, agent: Therapy | None, fired: Mapping[str, Hit | None]) -> Hit | None:
        hits = [hit for test in tests if (hit := test(view, agent, fired)) is not None]
        return Hit.join(hits) if hits else None

    return run


def _findings(kind: str, concepts: tuple[str, ...]) -> Test:
    history, certainty = kind == "hx", "absent" if kind == "absent" else "present"

    def run(view: View, agent: Therapy | None, fired: Mapping[str, Hit | None]) -> Hit | None:
        found = view.findings(concepts, history=history, certainty=certainty)
        return Hit.join([said_finding(f) for f in found]) if found else None

    return run


def _drugs(names: tuple[str, ...]) -> Test:
    def run(view: View, agent: Therapy | None, fired: Mapping[str, Hit | None]) -> Hit | None:
        found = view.drugs(names)
        return Hit.join([view.said_of(d) for d in found]) if found else None

    return run


def _agent(value: str) -> Test:
    def run(view: View, agent: Therapy | None, fired: Mapping[str, Hit | None]) -> Hit | None:
        if agent is None:
            return None
        if value == "active":
            return view.active(agent)
        if value == "failed":
            return view.failed(agent)
        return view.allergies(agent, tolerated=value == "dose-intolerant")

    return run


def _lesions(test: LesionTest) -> Test:
    of_lesion = lesion_test(test)

    def run(view: View, agent: Therapy | None, fired: Mapping[str, Hit | None]) -> Hit | None:
        return joined([hit for lesion in view.case.lesions if (hit := of_lesion(lesion)) is not None])

    return run
