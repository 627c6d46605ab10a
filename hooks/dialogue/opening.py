"""Whether a question is still open: the chart, and the answers read like it, say nothing of what it asks."""

from __future__ import annotations

from hooks.chart import Chart
from hooks.knowledge.dialogue_schema import Open, Question
from hooks.model import Assessment
from mappings.facts import PatientFacts


def is_open(question: Question, chart: Chart, assessment: Assessment) -> bool:
    """A question about the lesion needs one. A restricted lesion counts as described."""
    criterion = assessment.criteria.lesion
    if question.lesion and criterion.status != "met":
        return False
    return (
        _criteria(question.open, assessment)
        and _person(question.open, chart)
        and not _described(question.open, chart.given, assessment)
        and not _known(question.open, chart)
    )


def _criteria(wanted: Open, assessment: Assessment) -> bool:
    criteria = assessment.criteria
    now = {
        "ctd": criteria.ctd.status,
        "lesion": criteria.lesion.status,
        "calcium": criteria.calcium.status,
        "kidney": criteria.kidney.status,
        "extent": criteria.lesion.extent,
    }
    if any(now[name] not in states for name, states in wanted.criterion.items()):
        return False
    if wanted.diagnoses and not set(wanted.diagnoses) & set(criteria.ctd.diagnoses):
        return False
    return not wanted.hardness or criteria.lesion.hardness in wanted.hardness


def _person(wanted: Open, chart: Chart) -> bool:
    if wanted.sex and chart.facts.sex not in wanted.sex:
        return False
    if wanted.ages is None or chart.age is None:
        return True
    youngest, oldest = chart.age
    return oldest >= wanted.ages[0] and youngest <= wanted.ages[1]


def _described(wanted: Open, facts: PatientFacts, assessment: Assessment) -> bool:
    """A lesion that decides already says one of these things (a score of 0 is said, too)."""
    deciding = [le for le in facts.lesions if le.ref in assessment.criteria.lesion.evidence]
    return any(getattr(le, name) not in (None, False) for le in deciding for name in wanted.lesion)


def _known(wanted: Open, chart: Chart) -> bool:
    """The chart has the finding, or denies it; or the drug."""
    if wanted.concepts and (chart.findings(*wanted.concepts, history=True) or chart.absent(*wanted.concepts)):
        return True
    if wanted.undated and any(f.onset is not None for f in chart.findings(*wanted.undated, history=True)):
        return True
    return bool(wanted.drugs) and bool(chart.drugs(*wanted.drugs))
