"""`assess`: the one pure function from a patient's facts to the answer, on a given day.

The hook, the command line, the companion and population screening all call it, so that the same facts and the same day
give the same answer everywhere. It never raises on a chart; what could not be read is told as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain

from hooks.assessment.calcium import Calcium, judge_calcium
from hooks.assessment.ctd import judge_ctd, named
from hooks.assessment.differential import find_mimics
from hooks.assessment.explain import would_change
from hooks.assessment.extent import judge_extent
from hooks.assessment.grading import Graded, Weighed, grade
from hooks.assessment.iatrogenic import infused_at_site
from hooks.assessment.kidney import judge_kidney
from hooks.assessment.lesions import Lesions, judge_lesions
from hooks.assessment.minerals import Phosphate, judge_phosphate, judge_product, judge_pth
from hooks.assessment.missing import find_missing
from hooks.assessment.red_flags import Flags, find_flags
from hooks.assessment.reports import Reports, describe_biopsy, describe_imaging, imaged_negative, sort_reports
from hooks.assessment.subtype import Subtypes, classify_subtype
from hooks.case import Case
from hooks.chart import Chart
from hooks.knowledge import Knowledge
from hooks.model import Assessment, CardKind, Criteria, CtdCriterion, Grade, KidneyCriterion, LabCriterion
from hooks.therapy import decide_therapies, prompts
from hooks.workup import decide_workup
from mappings.facts import Need, PatientFacts

_STABLE_SILENT: frozenset[Grade] = frozenset({"incomplete", "possible", "probable", "likely", "confirmed"})


@dataclass(frozen=True, slots=True)
class _Judged:
    """Everything the criteria established, before the grade."""

    ctd: CtdCriterion
    kidney: KidneyCriterion
    calcium: Calcium
    phosphate: Phosphate
    pth: LabCriterion
    product: str | None
    reports: Reports
    lesions: Lesions
    flags: Flags
    infusion: tuple[str, ...]


def assess(facts: PatientFacts, knowledge: Knowledge, as_of: date) -> Assessment:
    """The assessment of one patient on `as_of`; facts dated later are not seen."""
    chart = Chart(facts, as_of)
    out_of_scope = _out_of_scope(chart, knowledge)
    judged = _judge(chart, knowledge)
    weighed = _weigh(judged, chart, knowledge)
    graded = Graded("none", (out_of_scope,)) if out_of_scope else grade(weighed)
    card, card_reasons = _card(graded.grade, judged.lesions, knowledge)
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
    subtypes = classify_subtype(graded.grade, judged.calcium.criterion.status, weighed) if concerned else Subtypes(None)
    flags = judged.flags.flags if concerned else ()
    differential = (
        find_mimics(
            chart, judged.lesions, frozenset(f.id for f in flags), _states(judged, weighed, chart), knowledge.mimics
        )
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


def _judge(chart: Chart, knowledge: Knowledge) -> _Judged:
    criteria, messages = knowledge.criteria, knowledge.messages
    ctd = judge_ctd(chart, criteria.ctd, messages)
    kidney = judge_kidney(chart, criteria.kidney, messages)
    calcium = judge_calcium(chart, kidney, criteria.calcium, messages)
    phosphate = judge_phosphate(chart, criteria.phosphate, messages)
    pth = judge_pth(chart, criteria.phosphate.stale_days, messages)
    product, _ = judge_product(chart, calcium, phosphate, criteria.phosphate)
    reports = sort_reports(chart)
    lesions = judge_lesions(chart, ctd, reports, criteria, messages)
    flags = find_flags(chart, ctd, lesions, calcium, kidney, criteria, knowledge.red_flags, messages)
    infusion = infused_at_site(chart, lesions.deciding, criteria.iatrogenic)
    return _Judged(ctd, kidney, calcium, phosphate, pth, product, reports, lesions, flags, infusion)


def _weigh(judged: _Judged, chart: Chart, knowledge: Knowledge) -> Weighed:
    lesions, reports, calcium = judged.lesions, judged.reports, judged.calcium
    negative = bool(lesions.deciding) and all(imaged_negative(le, reports) for le in lesions.deciding)
    places = {site.place for le in lesions.deciding for site in le.sites}
    urate = chart.latest("urate")
    urate_high = urate is not None and _above_range(urate.range_high, urate.low, urate.flag, urate.word)
    return Weighed(
        ctd=judged.ctd.certainty if judged.ctd.status == "met" else None,
        tier=judged.ctd.tier,
        hardness=lesions.hardness if lesions.counts else None,
        chalky=lesions.chalky,
        newness=lesions.newness,
        lesion_confirmed=any(le.certainty == "confirmed" for le in lesions.deciding),
        calcium=calcium.criterion.status,
        calcium_fallback=calcium.by_fallback,
        calcium_stale=calcium.stale,
        calcium_discordant=calcium.criterion.discordant,
        critical_calcium=calcium.criterion.critical,
        phosphate=judged.phosphate.criterion.status,
        product_over=judged.product == "alternative",
        kidney_severe=judged.kidney.status == "severe",
        infusion_at_site=bool(judged.infusion),
        necrosis_or_livedo=bool(judged.flags.necrosis_or_livedo),
        calciphylaxis_flag=judged.flags.has("calciphylaxis"),
        calciphylaxis_code=bool(judged.flags.calciphylaxis_code),
        imaging_positive=bool(reports.positive),
        imaging_doubtful=bool(reports.doubtful),
        imaging_negative=negative,
        biopsy_positive=bool(reports.biopsies),
        calcinosis_coded=bool(lesions.coded),
        scrotum_only=bool(places) and places <= set(knowledge.criteria.lesion.scrotal_places),
        crystals_needed=lesions.chalky and urate_high and chart.latest("crystal-examination") is None,
    )


def _above_range(limit: object, low: object, flag: str | None, word: str | None) -> bool:
    if flag in ("high", "critical-high") or word == "high":
        return True
    return limit is not None and low is not None and low > limit  # type: ignore[operator]


def _card(verdict: Grade, lesions: Lesions, knowledge: Knowledge) -> tuple[CardKind, tuple[str, ...]]:
    """The card by grade and newness (rules 2.4, 2.5); known and stable is silent, the grade kept."""
    messages = knowledge.messages
    if verdict in ("none", "urgent", "alternative"):
        return verdict, ()
    if lesions.newness == "N4" and verdict in _STABLE_SILENT:
        if not lesions.events:
            return "none", (messages.say("card.stable"),)
        events = ", ".join(messages.say(f"event.{event}") for event in lesions.events)
        return "management", (messages.say("card.event", events=events),)
    if verdict == "incomplete":
        return "incomplete", ()
    return ("management" if verdict == "confirmed" else "detection"), ()


def _states(judged: _Judged, weighed: Weighed, chart: Chart) -> frozenset[str]:
    """Judgements that mimics and their order refer to by name."""
    cytopenia_or_fever = chart.findings("trigger.fever", "trigger.blood_dyscrasia_cytopenia")
    panniculitis = chart.findings("ctd.lupus_panniculitis", "mimic.panniculitis")
    checks = {
        "imaging-doubtful": weighed.imaging_doubtful,
        "scrotum-only": weighed.scrotum_only,
        "crystals-needed": weighed.crystals_needed,
        "calcium-high": weighed.calcium == "high",
        "vascular-too": any(report.vascular_too for report in chart.facts.imaging),
        "panniculitis-with-fever-or-cytopenia": bool(panniculitis and cytopenia_or_fever),
    }
    return frozenset(name for name, holds in checks.items() if holds)


def _out_of_scope(chart: Chart, knowledge: Knowledge) -> str | None:
    if chart.facts.deceased:
        return "scope.deceased"
    if chart.findings(*knowledge.criteria.scope.silent_concepts, suspected=False):
        return "scope.hospice"
    return None


def _reasons(keys: Iterable[str], judged: _Judged, knowledge: Knowledge) -> tuple[str, ...]:
    """The grade's reasons; for "none" the criteria that say why."""
    said = [knowledge.messages.say(key) for key in keys]
    if judged.ctd.status != "met":
        said.append(judged.ctd.because)
    if judged.ctd.status != "met" or not judged.lesions.counts:
        said.append(judged.lesions.criterion.because)
    return tuple(said)


def _notes(judged: _Judged, chart: Chart, knowledge: Knowledge) -> tuple[str, ...]:
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
    keys: Iterable[str], judged: _Judged, flags: tuple[object, ...], therapies: tuple[object, ...], knowledge: Knowledge
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


def _unreadable(judged: _Judged, facts: PatientFacts) -> tuple[Need, ...]:
    """The needs whose failure leaves the question itself open (the hook answers 412)."""
    if judged.ctd.status == "unknown" and facts.need("conditions").state == "unavailable":
        return ("conditions",)
    if judged.ctd.status == "met" and judged.lesions.criterion.status == "unknown":
        needs: tuple[Need, ...] = ("conditions", "observations")
        return tuple(need for need in needs if facts.need(need).state == "unavailable")
    return ()
