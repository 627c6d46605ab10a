"""Where a patient stands: criteria, grade and the case that rules are asked about, before anything is put into words.

`assess` tells it; `Supposing` asks what it would be with one more lesion, for the question of the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from hooks.assessment.differential import find_mimics
from hooks.assessment.extent import judge_extent
from hooks.assessment.grading import Graded, Weighed, grade
from hooks.assessment.judged import Judged, judge_chart, named_states, weigh
from hooks.assessment.missing import find_missing
from hooks.assessment.reports import Reports, describe_biopsy, describe_imaging
from hooks.case import Case
from hooks.chart import Chart
from hooks.knowledge import Knowledge
from hooks.knowledge.safety_schema import Condition, walk
from hooks.knowledge.workup_schema import WorkupEntry
from hooks.model import Assessment, CardKind, Criteria, Grade, Newness, ReportCriterion, WorkupDecision
from hooks.therapy import Verdict, Weighing, weigh_therapies
from hooks.therapy.conditions import has
from hooks.therapy.conflicts import new_conflicts
from hooks.therapy.view import View
from hooks.workup import WeighedWorkup, weigh_workup
from mappings.facts import Lesion

_STABLE_SILENT: frozenset[Grade] = frozenset({"incomplete", "possible", "probable", "likely", "confirmed"})


@dataclass(frozen=True, slots=True)
class Situation:
    """`therapies` is None where the grade is none: nothing is weighed then."""

    judged: Judged
    weighed: Weighed
    graded: Graded
    view: View
    therapies: Weighing | None
    events: tuple[str, ...]
    card: CardKind

    @property
    def case(self) -> Case:
        return self.view.case


def situation(chart: Chart, knowledge: Knowledge) -> Situation:
    """The situation of one patient on the day of the chart."""
    judged, weighed, graded, case = _judged(chart, knowledge)
    view = View(chart, case)
    therapies = weigh_therapies(view, knowledge) if graded.grade != "none" else None
    events = _events(judged, view, therapies, knowledge)
    return Situation(judged, weighed, graded, view, therapies, events, card_of(graded.grade, judged, events))


def workup_of(view: View, therapies: Weighing, knowledge: Knowledge) -> tuple[WeighedWorkup, ...]:
    """The workup, with what the therapies wait for from the grades on at which that counts."""
    if view.case.grade in knowledge.workup.therapy_grades:
        view.therapy_needs = therapies.waited_for()
    return weigh_workup(view, knowledge)


def _judged(chart: Chart, knowledge: Knowledge) -> tuple[Judged, Weighed, Graded, Case]:
    judged = judge_chart(chart, knowledge)
    weighed = weigh(judged, chart, knowledge)
    silent = _out_of_scope(chart, knowledge)
    graded = Graded("none", (silent,)) if silent else grade(weighed)
    extent, regions = judge_extent(judged.lesions.deciding, judged.reports.calcified_sites, knowledge.criteria.extent)
    imaging, biopsy = _reports(chart, judged.reports, knowledge)
    criteria = Criteria(
        ctd=judged.ctd,
        lesion=replace(judged.lesions.criterion, extent=extent),
        calcium=judged.calcium.criterion,
        phosphate=judged.phosphate.criterion,
        pth=judged.pth,
        kidney=judged.kidney,
        imaging=imaging,
        biopsy=biopsy,
    )
    if graded.grade == "none":
        return judged, weighed, graded, Case("none", criteria, judged.lesions.deciding, regions)
    flags = judged.flags.flags
    states = named_states(judged, weighed, chart)
    case = Case(
        grade=graded.grade,
        criteria=criteria,
        lesions=judged.lesions.deciding,
        regions=regions,
        red_flags=flags,
        differential=find_mimics(chart, judged.lesions, flags, states, knowledge.mimics),
        missing=find_missing(
            chart,
            judged.calcium,
            judged.phosphate,
            judged.pth,
            judged.kidney,
            judged.lesions,
            judged.reports,
            knowledge.criteria.missing,
        ),
    )
    return judged, weighed, graded, case


def _reports(chart: Chart, reports: Reports, knowledge: Knowledge) -> tuple[ReportCriterion, ReportCriterion]:
    key = (ReportCriterion, id(knowledge))
    if key not in chart.memory:
        messages = knowledge.messages
        chart.memory[key] = describe_imaging(reports, chart, messages), describe_biopsy(reports, chart, messages)
    found: tuple[ReportCriterion, ReportCriterion] = chart.memory[key]
    return found


def _out_of_scope(chart: Chart, knowledge: Knowledge) -> str | None:
    if chart.facts.deceased:
        return "scope.deceased"
    if chart.findings(*knowledge.criteria.scope.silent_concepts, suspected=False):
        return "scope.hospice"
    return None


def _events(judged: Judged, view: View, therapies: Weighing | None, knowledge: Knowledge) -> tuple[str, ...]:
    """What makes known calcinosis worth a card again, a new conflict of drugs included."""
    events = judged.lesions.events
    if judged.lesions.newness != "N4" or therapies is None:
        return events
    days = knowledge.criteria.newness.episode_days
    conflict = new_conflicts(view, therapies.items(), knowledge.therapies, days)
    return (*events, "drug-conflict") if conflict else events


def card_of(verdict: Grade, judged: Judged, events: tuple[str, ...]) -> CardKind:
    """The card by grade and newness (rules 2.4, 2.5); known and stable is silent, the grade kept."""
    if verdict in ("none", "urgent", "alternative"):
        return verdict
    if known_before(verdict, judged):
        return "management" if events else "none"
    if verdict == "incomplete":
        return "incomplete"
    return "management" if verdict == "confirmed" else "detection"


def known_before(verdict: Grade, judged: Judged) -> bool:
    """Known calcinosis, at a grade that says so: only an event is worth a card."""
    return judged.lesions.newness == "N4" and verdict in _STABLE_SILENT


@dataclass(frozen=True, slots=True)
class Outline:
    """An assessment without its words: what an answer can move."""

    grade: Grade
    card: CardKind
    flags: frozenset[str]
    newness: Newness | None
    workup: frozenset[tuple[str, WorkupDecision]]
    therapies: frozenset[Verdict]

    @classmethod
    def of(cls, found: Assessment) -> Outline:
        return cls(
            found.grade,
            found.card,
            frozenset(flag.id for flag in found.red_flags),
            found.criteria.lesion.newness,
            frozenset((item.id, item.decision) for item in found.workup),
            frozenset((item.id, item.decision, item.fits, item.orderable) for item in found.therapies),
        )


class Supposing:
    """What would be said of a chart with one more lesion; what the lesion has no part in is worked out once.

    Two suppositions that look the same to every rule (`_seen_by_rules`) share their decisions."""

    def __init__(self, chart: Chart, knowledge: Knowledge) -> None:
        self._chart, self._knowledge = chart, knowledge
        self._decided: dict[object, tuple[frozenset[tuple[str, WorkupDecision]], frozenset[Verdict]]] = {}

    @classmethod
    def after(cls, found: Situation, told: Outline, knowledge: Knowledge) -> Supposing:
        """The same, where the chart as it is was assessed already."""
        made = cls(found.view.chart, knowledge)
        made._decided[_seen_by_rules(found.case, _attributes(knowledge))] = told.workup, told.therapies
        return made

    def outline(self, lesion: Lesion | None = None) -> Outline:
        """The outline of the assessment with this lesion, seen today (None: as the chart is)."""
        chart, knowledge = self._chart if lesion is None else self._chart.supposing(lesion), self._knowledge
        judged, _, graded, case = _judged(chart, knowledge)
        newness = case.criteria.lesion.newness
        flags = frozenset(flag.id for flag in case.red_flags)
        if graded.grade == "none":
            return Outline("none", "none", flags, newness, frozenset(), frozenset())
        key = _seen_by_rules(case, _attributes(knowledge))
        view = View(chart, case)
        therapies = None
        if key not in self._decided or judged.lesions.newness == "N4":
            therapies = weigh_therapies(view, knowledge)
        events = _events(judged, view, therapies, knowledge)
        if therapies is not None:
            workup = frozenset(entry.verdict for entry in workup_of(view, therapies, knowledge))
            self._decided[key] = workup, therapies.verdicts()
        card = card_of(graded.grade, judged, events)
        return Outline(graded.grade, card, flags, newness, *self._decided[key])


def _seen_by_rules(case: Case, attributes: tuple[str, ...]) -> object:
    """Everything of a case that a condition, a workup entry or the order of the options can look at and that a lesion
    has a part in. `attributes` are those of a lesion that some condition names."""
    lesions = frozenset((le.sites, tuple(has(le, name) for name in attributes)) for le in case.lesions)
    return case.grade, case.criteria.lesion.extent, case.flags, case.mimics, case.missing, lesions


_ATTRIBUTES: dict[int, tuple[Knowledge, tuple[str, ...]]] = {}


def _attributes(knowledge: Knowledge) -> tuple[str, ...]:
    """The attributes of a lesion that conditions name, found once for each knowledge."""
    key = id(knowledge)
    if key not in _ATTRIBUTES:
        conditions = chain(
            (rule.when for rule in knowledge.safety.rules),
            knowledge.safety.vocabulary.conditions.values(),
            (therapy.fits for therapy in knowledge.therapies.therapies),
            *(_asked_by(entry) for entry in knowledge.workup.entries),
        )
        tests = (part.lesion for condition in conditions for part in walk(condition) if part.lesion is not None)
        _ATTRIBUTES[key] = knowledge, tuple(sorted({name for test in tests for name in test.attributes}))
    return _ATTRIBUTES[key][1]


def _asked_by(entry: WorkupEntry) -> Iterator[Condition]:
    yield from (reason.when for reason in entry.offer)
    yield from (avoid.when for avoid in entry.avoid)
    if entry.done.unless is not None:
        yield entry.done.unless
