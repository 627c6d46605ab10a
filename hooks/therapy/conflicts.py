"""A new drug conflict (rule 2.4): an option that the patient takes, against which a rule now speaks, where the option
itself or a drug behind the rule was begun in this episode."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from hooks.chart import Chart
from hooks.knowledge.therapy_schema import Therapies, Therapy
from hooks.model import TherapyItem
from hooks.therapy.view import View
from mappings.facts import Medication


def new_conflicts(view: View, items: Iterable[TherapyItem], therapies: Therapies, episode_days: int) -> tuple[str, ...]:
    """References of the drugs in conflict, those begun in the episode among them; empty when nothing is new."""
    chart = view.chart
    medications = {drug.ref: drug for drug in chart.facts.medications if not drug.draft}
    found: list[str] = []
    for item in items:
        use = item.in_use
        if use is None or not use.notes:
            continue
        taken = _taken(view, therapies.get(item.id))
        others = [medications[ref] for ref in use.evidence if ref in medications]
        if taken and (others or use.forbidden) and any(_begun(drug, chart, episode_days) for drug in (*taken, *others)):
            found.extend(drug.ref for drug in (*taken, *others))
    return tuple(dict.fromkeys(found))


def _taken(view: View, therapy: Therapy) -> tuple[Medication, ...]:
    routes = therapy.routes
    listed = view.drugs((*therapy.drugs, *therapy.drug_classes))
    return tuple(d for d in listed if not d.draft and (not routes or d.route is None or d.route in routes))


def _begun(drug: Medication, chart: Chart, days: int) -> bool:
    """In this episode; a drug without a date can't be called new."""
    first_day = chart.as_of - timedelta(days=days)
    return drug.started is not None and drug.started.on_or_after(first_day) != "no"
