"""The same comparison for whole charts: FHIR resources through the reader and the assessment, so that the case (grade,
extent, criteria, red flags) is the real one."""

from __future__ import annotations

import random
from collections import Counter
from types import SimpleNamespace

import pytest

import hooks.assess
import hooks.situation
from hooks.case import Case
from hooks.chart import Chart
from hooks.knowledge import load_knowledge
from hooks.therapy import decide_therapies
from hooks.therapy.view import View
from tests.charts import TODAY, chart, reader
from tests.safety.generator import Drawn
from tests.safety.test_matrix import differences

assert TODAY.isoformat() == "2026-06-01"

CTD = ("SLE", "Systemic sclerosis", "Dermatomyositis", "Polymyositis", "Mixed connective tissue disease")
LESIONS = (
    "stony-hard nodules over both elbows, thighs and buttocks, noticed 3 months ago",
    "one stony-hard nodule of the left forearm, 2 cm, noticed 3 months ago",
    "ulcer of the left elbow with chalky white discharge, noticed 2 months ago",
    "hard plaques of the face and of both hands, noticed 5 months ago",
)
DRUGS = (
    "metoprolol nifedipine amlodipine verapamil amiodarone ivabradine ciclosporin tacrolimus voclosporin atorvastatin "
    "apixaban warfarin digoxin lithium cimetidine clarithromycin colchicine diltiazem methotrexate hydroxychloroquine "
    "prednisone mycophenolate amoxicillin isotretinoin alendronate aspirin ibuprofen sildenafil"
)
CONDITIONS = (
    "Sick sinus syndrome;Congestive heart failure;Systolic heart failure;Wolff-Parkinson-White syndrome;Pregnancy;"
    "Barrett oesophagus;Vitamin D deficiency;Osteonecrosis of jaw;Chronic kidney disease stage 3;Myasthenia gravis;"
    "Diabetes mellitus type 2;Pulmonary arterial hypertension;Tobacco smoker;Cirrhosis of liver;Gout;Reflux disease"
)
RESULTS = {
    "Laboratory | Calcium": ("2.31 mmol/L [2.15–2.57]", "2.31 mmol/L [2.15–2.57]", "2.8 mmol/L [2.15–2.57]"),
    "Laboratory | Phosphate": ("1.1 mmol/L [0.8–1.5]", "0.6 mmol/L [0.8–1.5]"),
    "Laboratory | eGFR": ("95 mL/min/1.73m2", ">60 mL/min/1.73m2", "45 mL/min/1.73m2", "25 mL/min/1.73m2"),
    "Laboratory | ALT": ("20 U/L [5–40]", "200 U/L [5–40]"),
    "Laboratory | Creatinine": ("70 umol/L [60–104]", "180 umol/L [60–104]"),
    "Laboratory | Platelets": ("250 10*9/L [150–400]", "80 10*9/L [150–400]"),
    "Laboratory | 25-OH vitamin D": ("30 ng/mL", "8 ng/mL"),
    "Vital | Heart rate": ("72 /min", "49 /min", "55 /min"),
    "BP": ("128/76", "86/50", "100/60", "170/100"),
    "Observation | ECG": ("normal",),
    "Laboratory | Pregnancy test": ("negative", "positive"),
}


def table(rng: random.Random) -> str:
    sex, age = rng.choice((("male", "49y"), ("male", "17y"), ("female", "30y"), ("female", "60y"), ("male", "80y")))
    lines = [f"Patient | {sex} | {age}", f"Condition | {rng.choice(CTD)} | onset -8y"]
    lesion = rng.choice(LESIONS)
    lines.append(f"Exam | {lesion} | -10d")
    if rng.random() < 0.7:
        lines.append("Imaging | X-ray of the lesions | Subcutaneous calcification. | -5d")
    for name, values in RESULTS.items():
        if rng.random() < 0.75:
            value = values[0] if rng.random() < 0.7 else rng.choice(values)
            lines.append(f"{name} | {value} | -{rng.choice((1, 20, 89, 91, 200))}d")
    for drug in rng.sample(DRUGS.split(), rng.choice((0, 1, 3))):
        state = rng.choice(("active", "active", "stopped | ended -10d"))
        lines.append(f"Medication | {drug} | {state} | -1y")
    lines.extend(f"Condition | {name} | -1y" for name in rng.sample(CONDITIONS.split(";"), rng.choice((0, 1, 2))))
    if rng.random() < 0.2:
        lines.append(f"Allergy | {rng.choice(('diltiazem', 'doxycycline', 'alendronate', 'rituximab'))} | rash")
    return "\n".join(lines)


def test_whole_charts_agree_with_the_table(monkeypatch: pytest.MonkeyPatch):
    knowledge = load_knowledge()
    seen: list[tuple[Chart, Case]] = []
    original = hooks.situation.weigh_therapies

    def watched(view: View, known):
        seen.append((view.chart, view.case))
        return original(view, known)

    monkeypatch.setattr(hooks.situation, "weigh_therapies", watched)
    found: list[str] = []
    grades: Counter[str] = Counter()
    only = SimpleNamespace(therapies=knowledge.therapies, safety=knowledge.safety)
    for number in range(150):
        written = table(random.Random(number))
        facts = reader().read(chart(written).raw())
        assert facts.quarantined == ()
        seen.clear()
        assessment = hooks.assess.assess(facts, knowledge, TODAY)
        grades[assessment.grade] += 1
        for asked, case in seen:
            assert assessment.therapies == decide_therapies(asked, case, knowledge)
            found.extend(differences(Drawn(number, asked.facts, case, clean=False), Counter(), only))
    assert found == []
    assert {"probable", "likely", "alternative", "incomplete"} <= set(grades)
