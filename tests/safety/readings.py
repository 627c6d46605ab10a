"""The tests of the safety table, one `if` after the other, except those about the agent itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from tests.safety.patient import ADULT_DM, OVERLAP, SSC, Patient


def general(p: Patient) -> Iterator[str]:
    if p.under(18):
        yield from ("G1.1", "G1.3")
    if p.age() is None:
        yield "G1.2"
    if p.pregnant() or p.dx("trigger.lactation"):
        yield "G2.1"
    if p.dx("trigger.planning_pregnancy"):
        yield "G2.2"
    if p.pregnancy_unknown():
        yield from ("G2.3", "G2.4")
    if any("sulfite" in a.classes | a.drugs for a in p.facts.allergies):
        yield "G3.3"
    if p.case.grade not in ("likely", "confirmed"):
        yield "G4.1"
    withdrawn = p.case.grade in ("alternative", "urgent")
    if withdrawn:
        yield "G4.2"
    if p.egfr_unknown():
        yield "G4.3"
    if any(p.facts.need(n).state != "complete" for n in ("medications", "allergies")):
        yield "G4.4"
    yield "G4.6"
    if p.flag("calciphylaxis") and not withdrawn:
        yield "G4.8"


def diltiazem(p: Patient) -> Iterator[str]:
    if p.dx("trigger.sick_sinus", "trigger.av_block_high_grade"):
        yield "D1.2" if p.dx("trigger.ventricular_pacemaker") else "D1.1"
    if p.touches("systolic", 90, None, "90"):
        yield "D1.3"
    month = p.day - timedelta(days=28)
    for f in p.facts.findings:
        when = f.onset or f.recorded or f.updated
        fresh = when.latest >= month if when else f.course == "active"
        if "trigger.acute_mi" in f.concepts and f.certainty != "absent" and fresh:
            if not p.absent("trigger.pulmonary_congestion"):
                yield "D1.4"
            break
    if any("diltiazem" in a.drugs and a.tolerated_dose is None for a in p.facts.allergies):
        yield "D1.5"
    if p.touches("ejection-fraction", 365, None, "40", "high") or p.dx("trigger.heart_failure_systolic"):
        yield "D2.1"
    if p.dx("trigger.heart_failure_acute") or any(f.reason_for_encounter for f in p.heart_failure()):
        yield "D2.2"
    if p.dx("trigger.pre_excitation"):
        yield "D2.3"
    if p.other_heart_failure():
        if p.value("ejection-fraction", 365) is None:
            yield "D2.4"
        elif p.touches("ejection-fraction", 365, "40", None):
            yield "D2.5"
    for names, test in (
        (("ivabradine",), "D3.1"), (("amiodarone",), "D3.2"), (("beta-blocker",), "D3.3"), (("clonidine",), "D3.4"),
        (("digoxin",), "D3.5"), (("dihydropyridine",), "D5.1"), (("verapamil",), "D5.2"),
        (("ciclosporin", "tacrolimus", "sirolimus", "everolimus"), "D6.1"), (("voclosporin",), "D6.2"),
        (("atorvastatin",), "D7.6"), (("apixaban", "rivaroxaban"), "D9.1"), (("carbamazepine",), "D9.2"),
        (("methylprednisolone",), "D9.3"), (("midazolam", "quetiapine", "buspirone"), "D9.4"), (("lithium",), "D9.5"),
        (("cimetidine",), "D9.6"), (("sildenafil", "tadalafil"), "D9.7"), (("strong-cyp3a4-inhibitor",), "D9.8"),
        (("rifampicin",), "D9.9"), (("cyclophosphamide",), "D10.1"),
    ):  # fmt: skip
        if p.drugs(*names):
            yield test
    if p.touches("heart-rate", 90, None, "50"):
        yield "D4.1"
    if p.touches("heart-rate", 90, "50", "60", "low"):
        yield "D4.2"
    if p.dx("trigger.av_block_first_degree") or p.touches("pr-interval", 180, "200", "240", "high"):
        yield "D4.3"
    if p.touches("pr-interval", 180, "240", None):
        yield "D4.4"
    if p.touches("systolic", 90, "90", "105", "low high"):
        yield "D4.5"
    if p.dx("trigger.pulmonary_hypertension") and (
        p.dx("trigger.right_heart_failure") or not p.absent("trigger.right_heart_failure")
    ):
        yield "D4.6"
    if p.value("heart-rate", 90) is None or p.value("systolic", 90) is None or not _ecg(p):
        yield "D4.7"
    yield from _statins(p)
    if p.drugs("colchicine"):
        bad = p.egfr_below("60") or p.hepatic() or p.over(75)
        unknown = p.egfr_unknown() or p.alt_unknown()
        if bad:
            yield "D8.1"
        if unknown:
            yield "D8.2"
        if not bad and not unknown:
            yield "D8.3"
    strong_vitamin_d = any(
        (d.daily_dose or 0) >= 4000 if d.daily_dose is not None and d.dose_unit == "IU"
        else d.strength_unit == "IU" and (d.strength or 0) >= 4000
        for d in p.drugs("vitamin-d")
    )  # fmt: skip
    if p.drugs("calcium-salt", "calcitriol", "alfacalcidol") or strong_vitamin_d:
        yield "D9.10"
    if (
        p.dx("trigger.subacute_cutaneous_lupus")
        or p.positive("anti-ro")
        or p.positive("anti-la")
        or (p.lupus() and p.hx("trigger.photosensitivity"))
    ):
        yield "D11.1"


def _ecg(p: Patient) -> bool:
    half_year = [r for r in p.facts.results if r.analyte in ("ecg", "pr-interval") and r.date and r.status == "final"]
    if any((p.day - r.date.earliest).days <= 180 for r in half_year):
        return True
    return any(
        a.kind == "done" and "ecg" in a.workup and a.date and (p.day - a.date.earliest).days <= 180
        for a in p.facts.actions
    )


def _statins(p: Patient) -> Iterator[str]:
    unknown = False
    for name, limit, above, upto in (("simvastatin", 10, "D7.1", "D7.2"), ("lovastatin", 20, "D7.3", "D7.4")):
        for d in p.drugs(name):
            if d.daily_dose is not None:
                yield above if d.daily_dose > limit else upto
            elif d.strength is not None and d.strength > limit:
                yield above
            else:
                unknown = True
    if unknown:
        yield "D7.5"


def colchicine(p: Patient) -> Iterator[str]:
    unknown = p.egfr_unknown() or p.alt_unknown()
    organ = p.egfr_below("60") or p.hepatic()
    for rule, names, bad in (
        ("C1", ("strong-cyp3a4-inhibitor", "pgp-inhibitor"), organ),
        ("C2", ("moderate-cyp3a4-inhibitor",), organ or p.over(75)),
    ):
        if p.drugs(*names, days=14):
            if bad:
                yield f"{rule}.1"
            if unknown:
                yield f"{rule}.2"
            if not bad and not unknown:
                yield f"{rule}.3"
    if p.egfr_below("30") or p.dx("trigger.dialysis"):
        yield "C3.1"
    if p.touches("egfr", 90, "30", "60", "low"):
        yield "C3.2"
    if p.egfr_unknown():
        yield "C3.3"
    if p.drugs("statin", "fibrate"):
        yield "C4.1"
    if p.drugs("hydroxychloroquine", "chloroquine"):
        yield "C4.2"
    if (
        p.times_upper("creatine-kinase", 3, 90)
        or p.dx("trigger.active_myositis")
        or p.cytopenia()
        or p.drugs("cyclophosphamide")
    ):
        yield "C4.3"


def bisphosphonates(p: Patient) -> Iterator[str]:
    for limit, test in (("35", "B1.1"), ("30", "B1.2"), ("30", "B1.3")):
        if p.egfr_below(limit):
            yield test
    if p.egfr_unknown():
        yield "B1.4"
    if p.value("creatinine", 7) is None:
        yield "B1.5"
    yield "B1.6"
    gullet = p.dx("trigger.esophageal_motility", "trigger.esophageal_stricture", "trigger.barrett", "trigger.dysphagia")
    if gullet or p.dx("trigger.cannot_sit_upright"):
        yield "B2.1"
    if p.hx(*SSC, "ctd.mctd", *OVERLAP):
        if p.hx("trigger.gi_involvement", "trigger.esophageal_motility"):
            yield "B2.2"
        if not p.word("oesophageal-test", "normal", "negative") and not p.absent("trigger.dysphagia"):
            yield "B2.3"
    if p.dx("trigger.reflux") and not gullet:
        yield "B2.4"
    calcium = p.case.criteria.calcium
    if (
        "low" in (calcium.status, calcium.category)
        or p.touches("vitamin-d-25-oh", 365, None, "30")
        or p.dx("trigger.vitamin_d_deficiency", "trigger.hypoparathyroidism", "trigger.hypocalcaemia")
    ):
        yield "B3.1"
    if p.value("vitamin-d-25-oh", 365, number=False) is None:
        yield "B3.2"
    if p.pregnant() or p.dx("trigger.planning_pregnancy") or p.under(18):
        yield "B4.1"
    if p.hx("trigger.osteonecrosis_jaw", "trigger.atypical_femur_fracture") or p.dx("trigger.tooth_extraction_planned"):
        yield "B4.2"
    if p.hx("trigger.avascular_necrosis"):
        yield "B4.3"
    if p.drugs("polyvalent-cation"):
        yield "B5.1"


def minocycline(p: Patient) -> Iterator[str]:
    mixed = p.hx("ctd.mctd", "ctd.uctd", *OVERLAP)
    if p.lupus() or (mixed and p.lupus_feature()):
        yield "M1.1"
    elif mixed:
        yield "M1.2"
    if p.under(12) or p.pregnant() or p.dx("trigger.lactation"):
        yield "M2.1"
    if p.egfr_below("15") or p.dx(
        "trigger.dialysis", "trigger.esrd", "trigger.ckd_5", "trigger.severe_liver_disease", "trigger.porphyria_acute"
    ):
        yield "M2.2"
    if p.drugs("retinoid", days=30) or p.dx("trigger.retinoid_planned"):
        yield "M2.3"
    if p.hx("trigger.intracranial_hypertension"):
        yield "M2.4"
    if p.hx("trigger.autoimmune_hepatitis") or p.times_upper("alt", 3, 90):
        yield "M2.5"
    if p.alt_unknown():
        yield "M2.6"
    if p.dx("trigger.myasthenia"):
        yield "M2.7"
    for names, test in (
        (("penicillin", "ergot-alkaloid"), "M3.1"), (("hydroxychloroquine",), "M3.2"), (("methotrexate",), "M3.3"),
        (("vka",), "M3.4"), (("polyvalent-cation",), "M3.5"),
    ):  # fmt: skip
        if p.drugs(*names):
            yield test
    if p.hx(*ADULT_DM, "ctd.dermatomyositis_juvenile") and not p.absent("trigger.photosensitivity"):
        yield "M3.6"


def historical(p: Patient) -> Iterator[str]:
    yield "W1w.1"
    if p.drugs("methotrexate"):
        yield "P1.1"
    if p.drugs("penicillin", "salicylate"):
        yield "P1.2"
    if p.cytopenia() or p.hx("trigger.urate_stone"):
        yield "P1.3"
    if p.egfr_below("50"):
        yield "P1.4"
    if p.egfr_unknown():
        yield "P1.5"
    if p.drugs("mycophenolate") or p.dx("trigger.g6pd_deficiency"):
        yield "P1.6"
    stages = ("trigger.ckd_3", "trigger.ckd_4", "trigger.ckd_5", "trigger.esrd", "trigger.dialysis")
    if p.egfr_below("60") or p.dx(*stages):
        yield "A1.1"
    phosphate = p.case.criteria.phosphate
    if "low" in (phosphate.status, phosphate.category) or p.dx(
        "trigger.porphyria", "trigger.porphyria_acute", "trigger.hypophosphataemia"
    ):
        yield "A1.2"
    if p.egfr_unknown() or p.value("phosphate", 90, number=False) is None:
        yield "A1.3"
    if p.drugs("hydroxychloroquine", "tetracycline", "levothyroxine", "alendronate", "risedronate", "glucocorticoid",
               "iron", "digoxin", "mycophenolate"):  # fmt: skip
        yield "A1.4"
    if p.drugs("fluoroquinolone"):
        yield "A1.5"


PARTS = (general, diltiazem, colchicine, bisphosphonates, minocycline, historical)
