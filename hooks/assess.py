"""`assess`: the one pure function from a patient's facts to the answer, on a given day.

The hook, the command line, the companion and population screening all call it, so that the same facts and the same day
give the same answer everywhere. It never raises on a chart; what could not be read is told as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain

from msgspec.structs import replace

from hooks.assessment.ctd import named
from hooks.assessment.explain import would_change
from hooks.assessment.judged import Judged
from hooks.assessment.notes import notes
from hooks.assessment.subtype import classify_subtype
from hooks.chart import Chart
from hooks.knowledge import Knowledge
from hooks.model import Assessment, RedFlag, TherapyItem
from hooks.restricted import restricted
from hooks.situation import Situation, known_before, situation, workup_of
from hooks.therapy import prompts
from mappings.facts import Need, PatientFacts

_OUT_OF_SCOPE = (("scope.deceased",), ("scope.hospice",))


def assess(facts: PatientFacts, knowledge: Knowledge, as_of: date) -> Assessment:
    """The assessment of one patient on `as_of`; facts dated later are not seen, drugs of the day after
    excepted."""
    chart = Chart(facts, as_of, knowledge.criteria.told_drugs.days)
    found = situation(chart, knowledge)
    judged, weighed, graded, case = found.judged, found.weighed, found.graded, found.case
    messages = knowledge.messages
    silent = Assessment(
        knowledge_version=knowledge.version,
        as_of=as_of,
        patient=facts.reference,
        grade=graded.grade,
        card=found.card,
        criteria=case.criteria,
        because=_reasons(found, knowledge),
        completeness=dict(facts.completeness),
        quarantined=facts.quarantined,
        unreadable=() if graded.reasons[:1] in _OUT_OF_SCOPE else _unreadable(judged, facts),
        situation=found,
    )
    if found.therapies is None:
        return silent
    subtypes = classify_subtype(graded.grade, judged.calcium.criterion.status, weighed, messages)
    therapies = found.therapies.items()
    return replace(
        silent,
        subtype=subtypes.subtype,
        mixed_with=subtypes.mixed_with,
        subtype_because=subtypes.because,
        would_change=would_change(weighed, messages),
        notes=(*_prompts(found, chart, knowledge), *notes(judged, chart, knowledge)),
        red_flags=case.red_flags,
        differential=case.differential,
        missing=case.missing,
        workup=tuple([entry.item() for entry in workup_of(found.view, found.therapies, knowledge)]),
        therapies=therapies,
        sources=_sources(graded.reasons, judged, case.red_flags, therapies, knowledge),
    )


def _reasons(found: Situation, knowledge: Knowledge) -> tuple[str, ...]:
    """The grade's reasons (for "none" the criteria that say why), then those of the card."""
    judged, messages = found.judged, knowledge.messages
    said = [messages.say(key) for key in found.graded.reasons]
    if judged.ctd.status != "met":
        said.append(judged.ctd.because)
    if judged.ctd.status != "met" or not judged.lesions.counts:
        said.append(judged.lesions.criterion.because)
    if known_before(found.graded.grade, judged):
        events = ", ".join(messages.say(f"event.{event}") for event in found.events)
        said.append(messages.say("card.event", events=events) if events else messages.say("card.stable"))
    return tuple(said)


def _prompts(found: Situation, chart: Chart, knowledge: Knowledge) -> Iterator[str]:
    """Sentences of rules that belong to no agent, without those that would tell what a restricted entry says."""
    kept = restricted(chart.facts)
    return (p.text for p in prompts(found.view, knowledge) if kept.isdisjoint(p.evidence))


def _sources(
    keys: Iterable[str],
    judged: Judged,
    flags: Iterable[RedFlag],
    therapies: Iterable[TherapyItem],
    knowledge: Knowledge,
) -> tuple[str, ...]:
    """Every source behind what is said, once each."""
    messages = knowledge.messages.messages
    parts = chain(
        chain.from_iterable(d.sources for d in named(judged.ctd.diagnoses, knowledge.criteria.ctd)),
        chain.from_iterable(messages[key].sources for key in keys),
        chain.from_iterable(flag.sources for flag in flags),
        chain.from_iterable(item.sources for item in therapies),
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
