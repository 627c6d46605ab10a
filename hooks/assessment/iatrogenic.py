"""Calcium or phosphate given at the site of the lesion in the 90 days before it appeared (rules 2.5, 2.6)."""

from __future__ import annotations

from datetime import timedelta

from hooks.assessment.sites import overlap
from hooks.chart import Chart
from hooks.knowledge.criteria_schema import IatrogenicRule
from mappings.dates import PartialDate
from mappings.facts import Lesion


def infused_at_site(chart: Chart, lesions: tuple[Lesion, ...], rule: IatrogenicRule) -> tuple[str, ...]:
    """The references that show it; empty when there was none, or none at the site."""
    found: list[str] = []
    for lesion in lesions:
        appeared = lesion.onset or PartialDate.of(chart.as_of)
        if lesion.infusion_at_site and (lesion.infusion_date is None or _before(lesion.infusion_date, appeared, rule)):
            found.append(lesion.ref)
        for drug in chart.facts.medications:
            given = drug.started or drug.ended
            if not (drug.drugs | drug.classes) & set(rule.drugs) or given is None or drug.draft:
                continue
            if (drug.infusion or drug.route in ("iv", "sc", "im")) and overlap(drug.sites, lesion.sites):
                found.extend([drug.ref] if _before(given, appeared, rule) else [])
    return tuple(dict.fromkeys(found))


def _before(event: PartialDate, appeared: PartialDate, rule: IatrogenicRule) -> bool:
    """Within the window before the lesion appeared (possibly counts: the cautious direction)."""
    first = appeared.earliest - timedelta(days=rule.window_days)
    return event.within(first, appeared.latest) != "no"
