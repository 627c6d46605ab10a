"""Calcium or phosphate given at the site of the lesion in the 90 days before it appeared (rules 2.5, 2.6)."""

from __future__ import annotations

from datetime import timedelta

from hooks.assessment.sites import overlap
from hooks.chart import Chart
from hooks.knowledge.criteria_schema import IatrogenicRule
from mappings.dates import PartialDate
from mappings.facts import Lesion, Medication


def infused_at_site(chart: Chart, lesions: tuple[Lesion, ...], rule: IatrogenicRule) -> tuple[str, ...]:
    """The references that show it; empty when there was none, or none at the site."""
    found: list[str] = []
    infusions = _infusions(chart, rule)
    for lesion in lesions:
        appeared = lesion.onset or PartialDate.of(chart.as_of)
        if lesion.infusion_at_site and (lesion.infusion_date is None or _before(lesion.infusion_date, appeared, rule)):
            found.append(lesion.ref)
        found.extend(
            drug.ref
            for drug, given in infusions
            if overlap(drug.sites, lesion.sites) and _before(given, appeared, rule)
        )
    return tuple(dict.fromkeys(found))


def _infusions(chart: Chart, rule: IatrogenicRule) -> tuple[tuple[Medication, PartialDate], ...]:
    """The drugs of the rule that were given into the body, and when; lesions have no part in it."""
    key = (IatrogenicRule, id(rule))
    if key not in chart.memory:
        wanted = frozenset(rule.drugs)
        chart.memory[key] = tuple(
            (drug, given)
            for drug in chart.facts.medications
            if (drug.infusion or drug.route in ("iv", "sc", "im"))
            and not drug.draft
            and (given := drug.started or drug.ended) is not None
            and not wanted.isdisjoint(drug.drugs | drug.classes)
        )
    found: tuple[tuple[Medication, PartialDate], ...] = chart.memory[key]
    return found


def _before(event: PartialDate, appeared: PartialDate, rule: IatrogenicRule) -> bool:
    """Within the window before the lesion appeared (possibly counts: the cautious direction)."""
    first = appeared.earliest - timedelta(days=rule.window_days)
    return event.within(first, appeared.latest) != "no"
