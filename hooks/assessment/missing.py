"""What is missing, in the order in which a clinician would want it (end of rule 2.5), by workup id."""

from __future__ import annotations

from hooks.assessment.calcium import Calcium, answers_albumin
from hooks.assessment.lesions import Lesions
from hooks.assessment.minerals import Phosphate
from hooks.assessment.reports import Reports
from hooks.assessment.sites import fits
from hooks.chart import Chart
from hooks.knowledge.criteria_schema import MissingRule
from hooks.model import LabCriterion


def find_missing(
    chart: Chart,
    calcium: Calcium,
    phosphate: Phosphate,
    pth: LabCriterion,
    lesions: Lesions,
    reports: Reports,
    rule: MissingRule,
) -> tuple[str, ...]:
    """Workup ids of what is missing, laboratory first, then at most one of radiograph and biopsy for the deciding
    lesions."""
    key = (MissingRule, id(rule))
    if key not in chart.memory:
        chart.memory[key] = _results(chart, calcium, phosphate, pth, rule)
    missing: tuple[str, ...] = chart.memory[key]
    imaged = [
        report
        for report in (*reports.positive, *reports.doubtful, *reports.negative)
        if any(fits(report.calcified_sites or report.sites, le.sites) for le in lesions.deciding)
    ]
    if not imaged and not reports.biopsies:
        return (*missing, "radiograph")
    if imaged and not reports.positive and not reports.biopsies and not reports.other_biopsies:
        return (*missing, "skin-biopsy")
    return missing


def _results(
    chart: Chart, calcium: Calcium, phosphate: Phosphate, pth: LabCriterion, rule: MissingRule
) -> tuple[str, ...]:
    """What the laboratory has not answered; lesions have no part in it."""
    missing: list[str] = []
    status = calcium.criterion.status
    if calcium.albumin_low or (status == "indeterminate" and calcium.criterion.kind is not None):
        missing.append("ionized-calcium")
    elif status in ("unknown", "indeterminate", "stale", "borderline"):
        missing.append("calcium")
    only_total = calcium.criterion.kind in ("total", "adjusted")
    albumin = chart.latest("albumin", max_age_days=rule.albumin_days)
    albumin_on_record = albumin is not None and answers_albumin(albumin)
    if only_total and not (calcium.albumin_known or albumin_on_record):
        missing.append("albumin")
    fresh_phosphate = chart.latest("phosphate", max_age_days=rule.phosphate_days) is not None
    if phosphate.uncertain or not fresh_phosphate:
        missing.append("phosphate")
    if chart.latest("egfr", "creatinine", max_age_days=rule.creatinine_days) is None:
        missing.append("creatinine")
    if pth.status == "unknown" or chart.latest("pth", max_age_days=rule.pth_days) is None:
        missing.append("pth")
    vitamin_d = chart.latest("vitamin-d-25-oh", max_age_days=rule.vitamin_d_days)
    if vitamin_d is None:
        missing.append("vitamin-d-25-oh")
    return tuple(missing)
