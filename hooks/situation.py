"""Where a patient stands: criteria, grade and the case that rules are asked about, before anything is put into words.

`assess` tells it; `hooks/hypothetical.py` asks what it would be with one more lesion, for the question of the card."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from hooks.assessment.differential import find_mimics
from hooks.assessment.extent import judge_extent
from hooks.assessment.grading import Graded, Weighed, grade
from hooks.assessment.judged import Judged, judge_chart, named_states, weigh
from hooks.assessment.lesions import why_more
from hooks.assessment.missing import find_missing
from hooks.assessment.reports import Reports, describe_biopsy, describe_imaging
from hooks.case import Case
from hooks.chart import Chart
from hooks.knowledge import Knowledge
from hooks.model import DYSTROPHIC, CardKind, Criteria, Grade, ReportCriterion
from hooks.therapy import Weighing, weigh_therapies
from hooks.therapy.conflicts import new_conflicts
from hooks.therapy.view import View
from hooks.workup import WeighedWorkup, weigh_workup


class Situation(Struct, frozen=True):
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
    judged, weighed, graded, case = judged_case(chart, knowledge)
    view = View(chart, case)
    therapies = weigh_therapies(view, knowledge) if graded.grade != "none" else None
    events = events_of(judged, view, therapies, knowledge)
    return Situation(judged, weighed, graded, view, therapies, events, card_of(graded.grade, judged, events))


def workup_of(view: View, therapies: Weighing, knowledge: Knowledge) -> tuple[WeighedWorkup, ...]:
    """The workup, with what the therapies wait for from the grades on at which that counts."""
    if view.case.grade in knowledge.workup.therapy_grades:
        view.therapy_needs = therapies.waited_for()
    return weigh_workup(view, knowledge)


def judged_case(chart: Chart, knowledge: Knowledge) -> tuple[Judged, Weighed, Graded, Case]:
    """The criteria, what the grade weighs of them, the grade, and the case that workup and therapy rules are asked
    about."""
    judged = judge_chart(chart, knowledge)
    weighed = weigh(judged, chart, knowledge)
    silent = _out_of_scope(chart, knowledge)
    graded = Graded("none", (silent,)) if silent else grade(weighed)
    extent, regions = judge_extent(judged.lesions.deciding, judged.reports.calcified_sites, knowledge.criteria.extent)
    lesion = judged.lesions.criterion
    more = why_more(chart, judged.lesions.deciding, knowledge.messages) if extent == "localized" else None
    if more is not None:
        extent, lesion = "unknown", replace(lesion, because=f"{lesion.because} {more}")
    imaging, biopsy = _reports(chart, judged.reports, knowledge)
    criteria = Criteria(
        ctd=judged.ctd,
        lesion=replace(lesion, extent=extent),
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
    states = named_states(judged, weighed, chart, knowledge.mimics)
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


def events_of(judged: Judged, view: View, therapies: Weighing | None, knowledge: Knowledge) -> tuple[str, ...]:
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
    return judged.lesions.newness == "N4" and verdict in DYSTROPHIC
