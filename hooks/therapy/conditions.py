"""The condition language, compiled once into plain functions: a View in, a Hit (it holds) or None out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from hooks.assessment.labs import judge
from hooks.assessment.red_flags import painful
from hooks.knowledge.safety_schema import (
    AgeTest,
    AllergyTest,
    Analyte,
    Condition,
    CriterionTest,
    LabTest,
    LesionTest,
    MedicationTest,
    UnknownTest,
    walk,
)
from hooks.knowledge.therapy_schema import Therapy
from hooks.therapy.scope import Scope
from hooks.therapy.view import Hit, View, said_finding, said_lesion
from mappings.facts import Lesion, Medication, Result

Test = Callable[[View, Therapy | None, Mapping[str, Hit | None]], Hit | None]
"""(patient, agent asked about, hits of the rules evaluated so far) -> Hit or None."""

HOLDS = Hit()
"""holds, and nothing is to be said of it."""


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
            return lambda view, agent, fired: _joined([said_finding(f) for f in view.finding(value)])
        if kind in ("dx", "hx", "absent"):
            return _findings(kind, value)
        if kind == "drug":
            return _drugs(value)
        if kind == "agent":
            return _agent(value)
        if kind == "lesion":
            return _lesions(value)
        simple: dict[str, Test] = {
            "medication": lambda view, agent, fired: _medication(view, value),
            "lab": lambda view, agent, fired: _lab(view, value, self._names.get(value.analyte, value.analyte)),
            "unknown": lambda view, agent, fired: _unknown(view, value, self._names),
            "age": lambda view, agent, fired: _age(view, value),
            "age_unknown": lambda view, agent, fired: HOLDS if view.chart.age is None else None,
            "sex": lambda view, agent, fired: HOLDS if view.facts.sex in value else None,
            "allergy": lambda view, agent, fired: _allergy(view, value),
            "flag": lambda view, agent, fired: _joined([Hit(f.evidence) for f in view.case.red_flags if f.id in value]),
            "grade": lambda view, agent, fired: HOLDS if view.case.grade in value else None,
            "extent": lambda view, agent, fired: HOLDS if view.case.criteria.lesion.extent in value else None,
            "criterion": lambda view, agent, fired: _criterion(view, value),
            "unread": lambda view, agent, fired: _unread(view, value),
            "missing": lambda view, agent, fired: None if names.isdisjoint(view.case.missing) else HOLDS,
            "mimic": lambda view, agent, fired: _joined(
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


def _joined(hits: list[Hit]) -> Hit | None:
    return Hit.join(hits) if hits else None


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


def _medication(view: View, test: MedicationTest) -> Hit | None:
    found = view.drugs(test.any, test.stopped_within_days)
    return _joined([view.said_of(d) for d in found if _route_fits(d, test) and _dose_fits(d, test)])


def _route_fits(drug: Medication, test: MedicationTest) -> bool:
    return not test.routes or drug.route in test.routes


def _dose_fits(drug: Medication, test: MedicationTest) -> bool:
    daily = drug.daily_dose if drug.dose_unit == test.unit else None
    one = drug.strength if daily is None and drug.strength_unit == test.unit else None
    least = daily if daily is not None else one
    if test.dose_above is not None:
        return least is not None and least > test.dose_above
    if test.dose_at_least is not None:
        return least is not None and least >= test.dose_at_least
    if test.dose_at_most is not None:
        return daily is not None and daily <= test.dose_at_most
    if test.dose_unknown_above is not None:
        return daily is None and (one is None or one <= test.dose_unknown_above)
    return True


def _lab(view: View, test: LabTest, name: str) -> Hit | None:
    numeric = not (test.word or test.category or test.times_upper is not None)
    result = view.latest(test.analyte, test.max_age_days, numeric=numeric)
    if result is None:
        return None
    if test.without_range and (
        result.range_low is not None or result.range_high is not None or result.flag or result.word
    ):
        return None
    if test.newer_than is not None and not _is_newer(view, result, test.newer_than):
        return None
    if test.word or test.category:
        holds = result.word in test.word or judge(result, view.chart, ()).category in test.category
    elif test.within_upper:
        holds = result.high is not None and result.range_high is not None and result.high <= result.range_high
    elif test.times_upper is not None:
        holds = _above_upper(result, test.times_upper)
    else:
        holds = _touches(result, test)
    return view.said_result(result, name) if holds else None


def _is_newer(view: View, result: Result, analyte: str) -> bool:
    other = view.latest(analyte, numeric=True)
    return (
        other is not None
        and result.date is not None
        and other.date is not None
        and result.date.sort_key > other.date.sort_key
    )


def _touches(result: Result, test: LabTest) -> bool:
    """Whether some value of the result's interval lies in the stated interval. "<60" is open above, ">60" below."""
    low, high = result.canonical_low, result.canonical_high
    if low is None and high is None:
        return False
    below_open, above_open = result.comparator == ">", result.comparator == "<"
    for limit, strict in ((test.below, True), (test.at_most, False)):
        if limit is not None and low is not None and (low > limit or (low == limit and (strict or below_open))):
            return False
    for limit, strict in ((test.above, True), (test.at_least, False)):
        if limit is not None and high is not None and (high < limit or (high == limit and (strict or above_open))):
            return False
    return True


def _above_upper(result: Result, times: Decimal) -> bool:
    """Above so many times the upper limit; without a limit "high" may mean it, so it counts."""
    if result.low is None and result.high is None:
        return result.word == "high"
    if result.range_high is None:
        return result.flag in ("high", "critical-high")
    return result.high is None or result.high > times * result.range_high


def _comparable(result: Result) -> bool:
    return result.range_high is not None or result.flag is not None or result.word is not None


def _unknown(view: View, test: UnknownTest, names: Mapping[str, str]) -> Hit | None:
    for analyte in test.analytes:
        result = view.latest(analyte, test.max_age_days, numeric=test.numeric, any_status=test.any_status)
        if result is None or (test.upper_limit and not _comparable(result)):
            continue
        if test.words and result.word not in test.words:
            continue
        return None
    if test.done is not None and view.done(test.done, test.max_age_days):
        return None
    name = names.get(test.analytes[0], test.analytes[0])
    window = f" within {test.max_age_days} days" if test.max_age_days is not None else ""
    return Hit((), (f"no {name}{window}",), (test.need,))


def _age(view: View, test: AgeTest) -> Hit | None:
    age = view.chart.age
    if age is None:
        return HOLDS if test.unknown else None
    youngest, oldest = age
    if test.surely:
        youngest, oldest = oldest, youngest
    holds = (
        (test.below is None or youngest < test.below)
        and (test.at_most is None or youngest <= test.at_most)
        and (test.above is None or oldest > test.above)
        and (test.at_least is None or oldest >= test.at_least)
    )
    return Hit((view.facts.reference,)) if holds else None


def _allergy(view: View, test: AllergyTest) -> Hit | None:
    wanted = frozenset(test.any)
    return _joined(
        [
            Hit((a.ref,), (a.label,) if a.label else ())
            for a in view.facts.allergies
            if a.certainty != "absent"
            and wanted & (a.drugs | a.classes)
            and (test.severe is None or a.severe == test.severe)
            and (test.tolerated is None or (a.tolerated_dose is not None) == test.tolerated)
        ]
    )


def _lesions(test: LesionTest) -> Test:
    of_lesion = lesion_test(test)

    def run(view: View, agent: Therapy | None, fired: Mapping[str, Hit | None]) -> Hit | None:
        return _joined([hit for lesion in view.case.lesions if (hit := of_lesion(lesion)) is not None])

    return run


def lesion_test(test: LesionTest) -> Callable[[Lesion], Hit | None]:
    """The test of one lesion."""
    attributes, regions, places, elsewhere = test.attributes, test.regions, test.places, test.not_places

    def run(lesion: Lesion) -> Hit | None:
        if attributes and not any(has(lesion, name) for name in attributes):
            return None
        if not (regions or places):
            return Hit((lesion.ref,))
        sites = tuple(
            [
                site
                for site in lesion.sites
                if (site.region in regions or site.place in places) and site.place not in elsewhere
            ]
        )
        return said_lesion(lesion, sites) if sites else None

    return run


def has(lesion: Lesion, name: str) -> bool:
    """Whether the lesion has an attribute that conditions name."""
    if name == "painful":
        return painful(lesion)
    return bool(getattr(lesion, name))


def _criterion(view: View, test: CriterionTest) -> Hit | None:
    criterion = getattr(view.case.criteria, test.name)
    holds = criterion.status in test.status or getattr(criterion, "category", None) in test.status
    return Hit(criterion.evidence, (criterion.because,)) if holds else None


def _unread(view: View, need: str) -> Hit | None:
    state = view.facts.need(need)  # type: ignore[arg-type]
    if state.state == "complete":
        return None
    return Hit((), (f"{need}: {state.reason or state.state}",), (f"{need} list",))
