"""A drug that only a note names never makes anything orderable, and weighs as much as one on the list."""

from __future__ import annotations

import pytest

from hooks.assess import assess
from hooks.knowledge import load_knowledge
from mappings.drugs import drug_names, load_drugs
from tests.charts import TODAY, chart
from tests.spec.harness import reader

CHART = """
    Patient | male | 50y
    Condition | M34.9 | onset -12y
    Exam | several stony-hard nodules of both elbows, both thighs and both forearms for 3 months | -5d
    Laboratory | Ionized calcium | 1.22 mmol/L [1.15–1.33] | -10d
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
    Laboratory | Phosphate | 1.1 mmol/L [0.8–1.5] | -10d
    Laboratory | eGFR | 90 mL/min/1.73m2 | -10d
    Imaging | X-ray of both elbows | Extensive subcutaneous calcification of both elbows. | -4d
    BP | 128/76 | -3d
    Vital | Heart rate | 76 /min | -3d
    Procedure | ECG | -10d
"""
_DRUGS = load_drugs()
_CLASSES = {name: sorted(d for d in drug_names() if name in _DRUGS.ids(d).classes) for name in _DRUGS.classes}
_ONE_OF_EACH = sorted({drugs[0] for drugs in _CLASSES.values() if drugs})


def decided(row: str) -> dict[str, tuple[str, bool, tuple[str, ...]]]:
    found = assess(reader().read(chart(CHART + row).raw()), load_knowledge(), TODAY)
    return {item.id: (item.decision, item.orderable, item.rules) for item in found.therapies}


@pytest.mark.parametrize("drug", _ONE_OF_EACH)
def test_a_told_drug_is_as_grave_as_a_listed_one(drug: str) -> None:
    name = drug_names()[drug][0]
    before, told = decided(""), decided(f"Report | Clinic letter | Current medication: {name}. | -20d")
    listed = decided(f"Medication | {name} | -1y")
    for agent, (decision, orderable, rules) in told.items():
        assert orderable <= before[agent][1]
        assert (decision, orderable) == listed[agent][:2], (agent, rules, listed[agent])
