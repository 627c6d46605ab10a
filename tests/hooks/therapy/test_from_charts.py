"""From a FHIR chart to the therapy decision: every trigger as a chart writes it, read by the real reader.

The base chart has nothing against any first-line option; each case adds one line (or replaces one) and names the agent,
the rule that must be reported, and the decision.
"""

from __future__ import annotations

import pytest

from hooks.assess import assess
from hooks.knowledge import load_knowledge
from hooks.model import Assessment
from mappings.facts import Completeness
from tests.charts import TODAY, chart, reader

BASE = {
    "patient": "Patient | male | 49y",
    "ctd": "Condition | Polymyositis | onset -8y",
    "lesion": "Exam | stony-hard ulcerated nodules over both elbows, thighs and buttocks, noticed 3 months ago | -10d",
    "imaging": "Imaging | X-ray of both thighs | Subcutaneous calcification of both thighs. | -5d",
    "calcium": "Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d",
    "albumin": "Laboratory | Albumin | 42 g/L [35–50] | -10d",
    "phosphate": "Laboratory | Phosphate | 1.1 mmol/L [0.8–1.5] | -10d",
    "creatinine": "Laboratory | Creatinine | 70 umol/L [60–104] | -5d",
    "egfr": "Laboratory | eGFR | 95 mL/min/1.73m2 | -5d",
    "alt": "Laboratory | ALT | 20 U/L [5–40] | -5d",
    "vitamin-d": "Laboratory | 25-OH vitamin D | 30 ng/mL | -30d",
    "heart-rate": "Vital | Heart rate | 72 /min | -3d",
    "pressure": "BP | 128/76 | -3d",
    "ecg": "Observation | ECG | normal | -20d",
}


def decided(*lines: str, unread: dict[str, tuple[str, str]] | None = None, **replaced: str) -> Assessment:
    table = "\n".join([*(BASE | replaced).values(), *lines])
    needs = {need: Completeness(*state) for need, state in (unread or {}).items()}  # type: ignore[arg-type]
    return assess(reader().read(chart(table).raw(**needs)), load_knowledge(), TODAY)


def item(assessment: Assessment, agent: str):
    return next(therapy for therapy in assessment.therapies if therapy.id == agent)


def test_with_nothing_against_them_first_line_options_are_offered_and_orderable():
    found = decided()
    assert found.grade == "likely"
    assert found.criteria.lesion.extent == "extensive"
    diltiazem = item(found, "diltiazem")
    assert diltiazem.orderable and diltiazem.decision in ("offer", "warn")
    assert item(found, "alendronate").decision == "offer"
    assert item(found, "alendronate").orderable


def test_localized_disease_is_offered_local_measures():
    found = decided(
        lesion="Exam | one stony-hard nodule of the left elbow, 1 nodule of 2 cm, first noticed 3 months ago | -10d",
        imaging="Imaging | X-ray of the left elbow | Subcutaneous calcification of the left elbow. | -5d",
    )
    assert found.criteria.lesion.extent == "localized"
    for agent in ("sodium-thiosulfate-topical", "sodium-thiosulfate-intralesional", "surgical-excision"):
        assert (item(found, agent).decision, item(found, agent).orderable) == ("offer", True), agent
    assert item(found, "diltiazem").decision == "not-indicated"


DILTIAZEM_DRUGS = {
    "ivabradine": ("D3", "block"),
    "amiodarone": ("D3", "block"),
    "metoprolol": ("D3", "warn"),
    "bisoprolol": ("D3", "warn"),
    "timolol eye drops": ("D3", "warn"),
    "clonidine": ("D3", "warn"),
    "digoxin": ("D3", "warn"),
    "nifedipine": ("D5", "warn"),
    "amlodipine": ("D5", "warn"),
    "verapamil": ("D5", "block"),
    "ciclosporin": ("D6", "warn"),
    "tacrolimus": ("D6", "warn"),
    "sirolimus": ("D6", "warn"),
    "everolimus": ("D6", "warn"),
    "voclosporin": ("D6", "warn"),
    "atorvastatin": ("D7", "warn"),
    "apixaban": ("D9", "warn"),
    "rivaroxaban": ("D9", "warn"),
    "carbamazepine": ("D9", "warn"),
    "methylprednisolone": ("D9", "warn"),
    "quetiapine": ("D9", "warn"),
    "buspirone": ("D9", "warn"),
    "lithium": ("D9", "warn"),
    "cimetidine": ("D9", "warn"),
    "sildenafil": ("D9", "warn"),
    "tadalafil": ("D9", "warn"),
    "clarithromycin": ("D9", "warn"),
    "rifampicin": ("D9", "warn"),
    "calcium carbonate": ("D9", "warn"),
    "calcitriol": ("D9", "warn"),
    "cyclophosphamide": ("D10", None),
}


@pytest.mark.parametrize("drug", DILTIAZEM_DRUGS)
def test_drugs_that_meet_diltiazem(drug):
    rule, decision = DILTIAZEM_DRUGS[drug]
    found = item(decided(f"Medication | {drug} | active | -1y"), "diltiazem")
    assert rule in found.rules
    if decision is not None:
        assert found.decision == decision
    if rule in ("D5", "D6") or decision == "block":
        assert not found.orderable


@pytest.mark.parametrize(
    ("line", "decision", "cap"),
    [
        ("Medication | simvastatin | 40 mg/d | -1y", "block", None),
        ("Medication | simvastatin | 10 mg/d | -1y", "warn", "diltiazem 240 mg/d"),
        ("Medication | simvastatin | active | -1y", "need", None),
        ("Medication | simvastatin 40 mg tablet | active | -1y", "block", None),
        ("Medication | lovastatin | 40 mg/d | -1y", "block", None),
        ("Medication | lovastatin | 20 mg/d | -1y", "warn", None),
        ("Medication | lovastatin | active | -1y", "need", None),
    ],
)
def test_statins_by_dose(line, decision, cap):
    found = item(decided(line), "diltiazem")
    assert "D7" in found.rules
    assert (found.decision, found.cap) == (decision, cap)


@pytest.mark.parametrize(
    ("replaced", "rule", "decision"),
    [
        ({"heart-rate": "Vital | Heart rate | 49 /min | -3d"}, "D4", "block"),
        ({"heart-rate": "Vital | Heart rate | 55 /min | -3d"}, "D4", "warn"),
        ({"heart-rate": "Vital | Heart rate | 72 /min | -91d"}, "D4", "need"),
        ({"heart-rate": ""}, "D4", "need"),
        ({"pressure": "BP | 85/50 | -3d"}, "D1", "block"),
        ({"pressure": "BP | 100/60 | -3d"}, "D4", "warn"),
        ({"pressure": ""}, "D4", "need"),
        ({"ecg": ""}, "D4", "need"),
        ({"ecg": "Observation | ECG | normal | -181d"}, "D4", "need"),
        ({"patient": "Patient | female | 30y"}, "G2", "need"),
        ({"patient": "Patient | female | 51y"}, None, "warn"),
        ({"patient": "Patient | male | 17y"}, "G1", "block"),
        ({"patient": "Patient | male"}, "G1", "need"),
    ],
)
def test_vital_signs_and_the_patient_before_diltiazem(replaced, rule, decision):
    found = item(decided(**replaced), "diltiazem")
    assert found.decision == decision or (rule is None and found.decision in ("offer", "warn"))
    assert rule is None or rule in found.rules
    assert found.orderable == (decision == "warn")


@pytest.mark.parametrize(
    ("line", "agent", "rule", "decision"),
    [
        ("Condition | Sick sinus syndrome", "diltiazem", "D1", "block"),
        ("Condition | Third degree atrioventricular block", "diltiazem", "D1", "block"),
        ("Condition | Wolff-Parkinson-White syndrome", "diltiazem", "D2", "block"),
        ("Condition | Congestive heart failure", "diltiazem", "D2", "need"),
        ("Condition | Systolic heart failure", "diltiazem", "D2", "block"),
        ("Condition | I50.21", "diltiazem", "D2", "block"),
        ("Laboratory | Ejection fraction | 35 % | -30d", "diltiazem", "D2", "block"),
        ("Allergy | diltiazem | rash", "diltiazem", "D1", "block"),
        ("Allergy | rituximab | severe reaction | severe", "rituximab", "G3", "block"),
        ("Allergy | doxycycline | rash", "minocycline", "G3", "block"),
        ("Allergy | risedronate | rash", "alendronate", "G3", "block"),
        ("Condition | SLE", "minocycline", "M1", "block"),
        ("Condition | SLE", "tnf-inhibitor", "N1n", "block"),
        ("Medication | isotretinoin | 20 mg/d | -1y", "minocycline", "M2", "block"),
        ("Medication | amoxicillin | active | -3d", "minocycline", "M3", "warn"),
        ("Medication | methotrexate | 20 mg/wk | -1y", "probenecid", "P1", "block"),
        ("Medication | aspirin | 81 mg/d | -1y", "probenecid", "P1", "block"),
        ("Medication | clarithromycin | stopped | ended -10d", "colchicine", "C1", "warn"),
        ("Medication | diltiazem | 120 mg/d | -1y", "colchicine", "C2", "warn"),
        ("Medication | diltiazem | 120 mg/d | -1y", "diltiazem", "G4", "block"),
        ("Condition | Barrett oesophagus", "alendronate", "B2", "block"),
        ("Condition | Vitamin D deficiency", "pamidronate", "B3", "block"),
        ("Condition | Osteonecrosis of jaw", "risedronate", "B4", "block"),
        ("Condition | Chronic kidney disease stage 3", "aluminium-hydroxide", "A1", "block"),
        ("Laboratory | HBsAg | positive | -30d", "rituximab", "R1r", "block"),
        ("Medication | warfarin | 5 mg/d | -1y", "eswl", "E1", "warn"),
        ("Condition | Tobacco smoker", "surgical-excision", "S1", "warn"),
    ],
)
def test_what_is_on_the_chart_reaches_the_rule(line, agent, rule, decision):
    found = item(decided(line), agent)
    assert rule in found.rules
    assert found.decision == decision
    assert found.because and found.evidence


def test_lists_that_were_not_read_hold_every_drug_back():
    found = decided(unread={"medications": ("unavailable", "refused"), "allergies": ("partial", "page limit")})
    for therapy in found.therapies:
        if therapy.id not in ("surgical-excision", "co2-laser", "eswl", "warfarin"):
            assert "G4" in therapy.rules
            assert therapy.decision in ("need", "block")
            assert not therapy.orderable


def test_orders_only_from_likely_on():
    found = decided(imaging="")
    assert found.grade == "probable"
    assert not any(therapy.orderable for therapy in found.therapies)
    assert all(therapy.described for therapy in found.therapies)


def test_another_cause_withdraws_every_drug():
    found = decided(calcium="Laboratory | Calcium | 2.9 mmol/L [2.15–2.57] | -10d")
    assert found.grade == "alternative"
    drugs = [t for t in found.therapies if t.id not in ("surgical-excision", "co2-laser", "eswl")]
    assert {t.decision for t in drugs} == {"block"}
    assert not any(therapy.orderable or therapy.described for therapy in found.therapies)


def test_at_most_one_of_diltiazem_and_colchicine_may_be_ordered():
    found = decided()
    pair = [item(found, "diltiazem"), item(found, "colchicine")]
    assert [therapy.orderable for therapy in pair] == [True, False]
    assert all("D8" in therapy.rules for therapy in pair)
    first, later = pair
    assert first.decision == later.decision == "warn", "never offered plainly beside each other"
    assert "colchicine would fit too and is then not to be combined" in first.because
    assert "Text only" in later.because
    assert "diltiazem comes first" in later.because


def test_the_ceiling_of_an_intolerance_stays_attached_to_a_block():
    found = item(
        decided(
            "Medication | diltiazem | 180 mg/d | -1y",
            "Allergy | diltiazem | headache | category=intolerance | -1d |"
            " note=Diltiazem 90 mg three times daily not tolerated; 90 mg twice daily tolerated.",
        ),
        "diltiazem",
    )
    assert found.decision == "block"
    assert found.cap == "diltiazem 180 mg/d"
    assert "G3" in found.rules


def test_a_drug_that_failed_is_not_suggested_again():
    found = item(decided("Medication | colchicine | stopped | ended -1y | note=no effect on calcinosis"), "colchicine")
    assert not found.orderable
