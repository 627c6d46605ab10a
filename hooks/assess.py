"""`assess`: the one pure function from a patient's facts to the answer, on a given day.

The hook, the command line, the companion and population screening all call it, so that the same facts and the same day
give the same answer everywhere. It never raises on a chart; what could not be read is told as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import chain

from hooks.assessment.ctd import named
from hooks.assessment.differential import find_mimics
from hooks.assessment.explain import would_change
from hooks.assessment.extent import judge_extent
from hooks.assessment.grading import Graded, grade
from hooks.assessment.judged import Judged, judge_chart, named_states, weigh
from hooks.assessment.lesions import Lesions
from hooks.assessment.missing import find_missing
from hooks.assessment.reports import describe_biopsy, describe_imaging
from hooks.assessment.subtype import Subtypes, classify_subtype
from hooks.case import Case
from hooks.chart import Chart
from hooks.knowledge import Knowledge
from hooks.model import Assessment, CardKind, Criteria, Grade
from hooks.therapy import decide_therapies, prompts
from hooks.therapy.conflicts import new_conflicts
from hooks.workup import decide_workup
from mappings.facts import Need, PatientFacts

_STABLE_SILENT: frozenset[Grade] = frozenset({"incomplete", "possible", "probable", "likely", "confirmed"})


def assess(facts: PatientFacts, knowledge: Knowledge, as_of: date) -> Assessment:
    """The assessment of one patient on `as_of`; facts dated later are not seen."""
    chart = Chart(facts, as_of)
    out_of_scope = _out_of_scope(chart, knowledge)
    judged = judge_chart(chart, knowledge)
    weighed = weigh(judged, chart, knowledge)
    graded = Graded("none", (out_of_scope,)) if out_of_scope else grade(weighed)
    extent, regions = judge_extent(judged.lesions.deciding, judged.reports.calcified_sites, knowledge.criteria.extent)
    lesion = replace(judged.lesions.criterion, extent=extent)
    criteria = Criteria(
        ctd=judged.ctd,
        lesion=lesion,
        calcium=judged.calcium.criterion,
        phosphate=judged.phosphate.criterion,
        pth=judged.pth,
        kidney=judged.kidney,
        imaging=describe_imaging(judged.reports, chart, knowledge.messages),
        biopsy=describe_biopsy(judged.reports, chart, knowledge.messages),
    )
    concerned = graded.grade != "none"
    subtypes = (
        classify_subtype(graded.grade, judged.calcium.criterion.status, weighed, knowledge.messages)
        if concerned
        else Subtypes(None)
    )
    flags = judged.flags.flags if concerned else ()
    differential = (
        find_mimics(chart, judged.lesions, flags, named_states(judged, weighed, chart), knowledge.mimics)
        if concerned
        else ()
    )
    missing = (
        find_missing(
            chart,
            judged.calcium,
            judged.phosphate,
            judged.pth,
            judged.kidney,
            judged.lesions,
            judged.reports,
            knowledge.criteria.missing,
        )
        if concerned
        else ()
    )
    case = Case(
        grade=graded.grade,
        subtype=subtypes.subtype,
        criteria=criteria,
        lesions=judged.lesions.deciding,
        regions=regions,
        red_flags=flags,
        differential=differential,
        missing=missing,
    )
    therapies = decide_therapies(chart, case, knowledge) if concerned else ()
    events = judged.lesions.events
    if judged.lesions.newness == "N4" and new_conflicts(
        chart, case, therapies, knowledge.therapies, knowledge.criteria.newness.episode_days
    ):
        events = (*events, "drug-conflict")
    card, card_reasons = _card(graded.grade, judged.lesions, events, knowledge)
    workup = decide_workup(chart, case, knowledge, therapies) if concerned else ()
    because = (*_reasons(graded.reasons, judged, knowledge), *card_reasons)
    notes = (*(p.text for p in prompts(chart, case, knowledge)), *_notes(judged, chart, knowledge)) if concerned else ()
    return Assessment(
        knowledge_version=knowledge.version,
        as_of=as_of,
        patient=facts.reference,
        grade=graded.grade,
        card=card,
        criteria=criteria,
        subtype=subtypes.subtype,
        mixed_with=subtypes.mixed_with,
        subtype_because=subtypes.because,
        because=because,
        would_change=would_change(weighed, knowledge.messages) if concerned else (),
        notes=notes,
        red_flags=flags,
        differential=differential,
        missing=missing,
        workup=workup,
        therapies=therapies,
        completeness=dict(facts.completeness),
        quarantined=facts.quarantined,
        sources=_sources(graded.reasons, judged, flags, therapies, knowledge) if concerned else (),
        unreadable=() if out_of_scope else _unreadable(judged, facts),
    )


def _card(
    verdict: Grade, lesions: Lesions, events: tuple[str, ...], knowledge: Knowledge
) -> tuple[CardKind, tuple[str, ...]]:
    """The card by grade and newness (rules 2.4, 2.5); known and stable is silent, the grade kept."""
    messages = knowledge.messages
    if verdict in ("none", "urgent", "alternative"):
        return verdict, ()
    if lesions.newness == "N4" and verdict in _STABLE_SILENT:
        if not events:
            return "none", (messages.say("card.stable"),)
        said = ", ".join(messages.say(f"event.{event}") for event in events)
        return "management", (messages.say("card.event", events=said),)
    if verdict == "incomplete":
        return "incomplete", ()
    return ("management" if verdict == "confirmed" else "detection"), ()


def _out_of_scope(chart: Chart, knowledge: Knowledge) -> str | None:
    if chart.facts.deceased:
        return "scope.deceased"
    if chart.findings(*knowledge.criteria.scope.silent_concepts, suspected=False):
        return "scope.hospice"
    return None


def _reasons(keys: Iterable[str], judged: Judged, knowledge: Knowledge) -> tuple[str, ...]:
    """The grade's reasons; for "none" the criteria that say why."""
    said = [knowledge.messages.say(key) for key in keys]
    if judged.ctd.status != "met":
        said.append(judged.ctd.because)
    if judged.ctd.status != "met" or not judged.lesions.counts:
        said.append(judged.lesions.criterion.because)
    return tuple(said)


def _notes(judged: Judged, chart: Chart, knowledge: Knowledge) -> tuple[str, ...]:
    messages, notes = knowledge.messages, []
    fine = judged.calcium.criterion.status in ("normal", "stale") and judged.phosphate.criterion.status == "normal"
    if judged.pth.status == "high" and fine:
        notes.append(messages.say("note.pth-high"))
    if judged.phosphate.criterion.status == "low":
        notes.append(messages.say("note.phosphate-low"))
    if judged.product == "caution":
        notes.append(messages.say("note.product-caution"))
    if any(le.injection_at_site for le in judged.lesions.deciding):
        notes.append(messages.say("note.injection"))
    if judged.flags.ask_cancer_dates:
        notes.append(messages.say("r3.ask"))
    if chart.facts.not_understood:
        notes.append(messages.say("note.not-understood"))
    notes.extend(
        messages.say("note.latency", name=diagnosis.name, frequency=diagnosis.frequency, latency=diagnosis.latency)
        for diagnosis in named(judged.ctd.diagnoses, knowledge.criteria.ctd)
    )
    return tuple(notes)


def _sources(
    keys: Iterable[str], judged: Judged, flags: tuple[object, ...], therapies: tuple[object, ...], knowledge: Knowledge
) -> tuple[str, ...]:
    """Every source behind what is said, once each."""
    messages = knowledge.messages.messages
    parts = chain(
        chain.from_iterable(d.sources for d in named(judged.ctd.diagnoses, knowledge.criteria.ctd)),
        chain.from_iterable(messages[key].sources for key in keys),
        chain.from_iterable(getattr(flag, "sources", ()) for flag in flags),
        chain.from_iterable(getattr(item, "sources", ()) for item in therapies),
    )
    return tuple(dict.fromkeys(parts))


def _unreadable(judged: Judged, facts: PatientFacts) -> tuple[Need, ...]:
    """The needs whose failure leaves the question itself open (the hook answers 412)."""
    if judged.ctd.status == "unknown" and facts.need("conditions").state == "unavailable":
        return ("conditions",)
    if judged.ctd.status == "met" and judged.lesions.criterion.status == "unknown":
        needs: tuple[Need, ...] = ("conditions", "observations")
        return tuple(need for need in needs if facts.need(need).state == "unavailable")
    return ()
