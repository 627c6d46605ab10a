"""What a chart holds, found by name: each once, in the order of references."""

from __future__ import annotations

from datetime import date

from hooks.chart import Chart
from mappings.facts import Action, PatientFacts


def test_orders_by_workup_id() -> None:
    radiograph, both, biopsy = (
        Action(f"ServiceRequest/{number}", "order", "ordered", frozenset(workup))
        for number, workup in enumerate((("radiograph",), ("radiograph", "skin-biopsy"), ("skin-biopsy",)))
    )
    chart = Chart(PatientFacts("Patient/p", actions=(biopsy, both, radiograph)), date(2026, 6, 1))
    assert chart.orders(()) == chart.orders(("ecg",)) == []
    assert chart.orders(("radiograph", "ecg")) == [radiograph, both]
    assert chart.orders(("skin-biopsy", "radiograph")) == [radiograph, both, biopsy]
    assert chart.supposing().orders(("skin-biopsy",)) == [both, biopsy]
