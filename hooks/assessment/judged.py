"""All criteria of one chart, and what the grade weighs of them."""

from __future__ import annotations

from msgspec import Struct

from hooks.assessment.calcium import Calcium, judge_calcium
from hooks.assessment.ctd import judge_ctd
from hooks.assessment.grading import Weighed
from hooks.assessment.iatrogenic import infused_at_site
from hooks.assessment.kidney import judge_kidney
from hooks.assessment.labs import judge
from hooks.assessment.lesions import Lesions, judge_lesions
from hooks.assessment.minerals import Phosphate, judge_phosphate, judge_product, judge_pth
from hooks.assessment.red_flags import Flags, find_flags
from hooks.assessment.reports import Reports, imaged_negative, sort_reports
from hooks.assessment.sites import fits
from hooks.chart import Chart
from hooks.knowledge import Knowledge
from hooks.knowledge.mimics import Mimics
from hooks.model import CtdCriterion, KidneyCriterion, LabCriterion


class Judged(Struct, frozen=True):
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


class _Background(Struct, frozen=True):
    """What the lesions have no part in."""

    ctd: CtdCriterion
    kidney: KidneyCriterion
    calcium: Calcium
    phosphate: Phosphate
    pth: LabCriterion
    product: str | None
    reports: Reports


def judge_chart(chart: Chart, knowledge: Knowledge) -> Judged:
    """All criteria of a chart. What lesions have no part in is judged once for all suppositions of the same chart."""
    criteria, messages = knowledge.criteria, knowledge.messages
    key = (_Background, id(knowledge))
    if key not in chart.memory:
        chart.memory[key] = _background(chart, knowledge)
    found: _Background = chart.memory[key]
    ctd, kidney, calcium, reports = found.ctd, found.kidney, found.calcium, found.reports
    lesions = judge_lesions(chart, ctd, reports, criteria, messages)
    flags = find_flags(chart, ctd, lesions, calcium, kidney, criteria, knowledge.red_flags, messages)
    infusion = infused_at_site(chart, lesions.deciding, criteria.iatrogenic)
    return Judged(ctd, kidney, calcium, found.phosphate, found.pth, found.product, reports, lesions, flags, infusion)


def _background(chart: Chart, knowledge: Knowledge) -> _Background:
    criteria, messages = knowledge.criteria, knowledge.messages
    kidney = judge_kidney(chart, criteria.kidney, messages)
    calcium = judge_calcium(chart, kidney, criteria.calcium, messages)
    phosphate = judge_phosphate(chart, criteria.phosphate, messages)
    return _Background(
        judge_ctd(chart, criteria.ctd, messages),
        kidney,
        calcium,
        phosphate,
        judge_pth(chart, criteria.phosphate.stale_days, messages),
        judge_product(chart, calcium, phosphate, criteria.phosphate),
        sort_reports(chart),
    )


def weigh(judged: Judged, chart: Chart, knowledge: Knowledge) -> Weighed:
    """Of all that was judged, what the grade asks for; unknown stays None or False and is never taken for normal."""
    lesions, reports, calcium = judged.lesions, judged.reports, judged.calcium
    negative = bool(lesions.deciding) and all(imaged_negative(le, reports) for le in lesions.deciding)
    places = {site.place for le in lesions.deciding for site in le.sites}
    return Weighed(
        ctd=judged.ctd.certainty if judged.ctd.status == "met" else None,
        tier=judged.ctd.tier,
        hardness=lesions.hardness if lesions.counts else None,
        chalky=lesions.chalky,
        newness=lesions.newness,
        lesion_confirmed=any(le.certainty == "confirmed" for le in lesions.deciding),
        calcium=calcium.criterion.status,
        calcium_unreadable=calcium.criterion.kind is None,
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
        imaging_doubtful=any(
            fits(le.sites, report.calcified_sites or report.sites)
            for le in lesions.deciding
            for report in reports.doubtful
        ),
        imaging_negative=negative,
        biopsy_positive=bool(reports.biopsies),
        calcinosis_coded=bool(lesions.coded),
        scrotum_only=bool(places) and places <= set(knowledge.criteria.lesion.scrotal_places),
        crystals_needed=lesions.chalky and _urate_unexplained(chart),
    )


def _urate_unexplained(chart: Chart) -> bool:
    """High, and nobody has looked for crystals."""
    urate = chart.latest("urate")
    high = urate is not None and judge(urate, chart, ()).category == "high"
    return high and chart.latest("crystal-examination") is None


def named_states(judged: Judged, weighed: Weighed, chart: Chart, mimics: Mimics) -> frozenset[str]:
    """Judgements that mimics and their order refer to by name."""
    checks = {
        "imaging-doubtful": weighed.imaging_doubtful,
        "scrotum-only": weighed.scrotum_only,
        "crystals-needed": weighed.crystals_needed,
        "calcium-high": weighed.calcium == "high",
        "vascular-too": any(report.vascular_too for report in chart.facts.imaging),
    }
    found = (name for name, groups in mimics.states.items() if all(chart.findings(*g.concepts) for g in groups))
    return frozenset([*(name for name, holds in checks.items() if holds), *found])
