"""What a chart holds, found by name: each once, in the order of references."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hooks.chart import Chart
from mappings.dates import PartialDate
from mappings.facts import Action, Medication, PatientFacts


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


@pytest.mark.parametrize(
    ("day", "seen"),
    [("2026-05-31", True), ("2026-06-01", True), ("2026-06-02", True), ("2026-06-03", False), ("2026-06", True)],
)
@pytest.mark.parametrize("told", [False, True])
def test_a_drug_of_this_morning_east_of_us_is_seen(day: str, seen: bool, told: bool) -> None:
    when = PartialDate.parse(day)
    dated: Any = {"told" if told else "started": when}
    drug = Medication("MedicationRequest/m", "bisoprolol", frozenset({"bisoprolol"}), **dated)
    chart = Chart(PatientFacts("Patient/p", medications=(drug,)), date(2026, 6, 1))
    assert bool(chart.drugs("bisoprolol")) == seen


def test_the_last_day_of_the_calendar_has_no_day_after() -> None:
    drug = Medication("MedicationRequest/m", "bisoprolol", frozenset({"bisoprolol"}), started=PartialDate.parse("0001"))
    assert Chart(PatientFacts("Patient/p", medications=(drug,)), date.max).drugs("bisoprolol")
