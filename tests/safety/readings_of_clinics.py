"""The tests of the safety table for what a hospital or department gives and does, one `if` after the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from tests.safety.patient import ADULT_DM, OVERLAP, Patient


def infusions(p: Patient) -> Iterator[str]:
    yield "T1.1"
    if p.lupus():
        yield "T1.2"
    if (
        p.heart_failure()
        or p.touches("systolic", 90, "160", None, "low")
        or p.touches("diastolic", 90, "100", None, "low")
        or p.dx("trigger.hypertension_uncontrolled", "trigger.metabolic_acidosis")
        or any("sulfite" in a.classes | a.drugs for a in p.facts.allergies)
    ):
        yield "T1.3"
    core = p.word("anti-hbc", "positive") or p.dx("trigger.hepatitis_b")
    if p.word("hbsag", "positive") or (core and not p.dx("trigger.hbv_prophylaxis")):
        yield "R1r.1"
    if p.hbv_unknown():
        yield "R1r.2"
    if (
        p.any_infection()
        or any("rituximab" in a.drugs and a.severe for a in p.facts.allergies)
        or p.pregnant()
        or p.dx("trigger.lactation")
        or p.dx("trigger.heart_failure_nyha_3_4", "trigger.uncontrolled_cardiac", "trigger.heart_failure_acute")
        or p.touches("ejection-fraction", 365, None, "40", "high")
    ):
        yield "R1r.3"
    igg = p.value("igg", 365, number=False)
    if igg is None:
        yield "R1r.4"
    bare = igg is not None and igg.range_low is None and igg.range_high is None and not igg.flag and not igg.word
    if p.against_range("igg", 365) == "low" or (bare and p.touches("igg", 365, None, "6")):
        yield "R1r.5"
    month = p.day - timedelta(days=28)
    vaccine = any(
        "trigger.live_vaccine" in f.concepts and f.certainty != "absent"
        and (when.latest >= month if when else f.course == "active")
        for f in p.facts.findings for when in [f.onset or f.recorded or f.updated]
    )  # fmt: skip
    if vaccine or p.drugs("live-vaccine", days=28):
        yield "R1r.6"
    if p.dx("trigger.iga_deficiency") and not p.absent("trigger.anti_iga_antibodies"):
        yield "I1.1"
    if p.value("iga", number=False) is None:
        yield "I1.2"
    clot = (
        p.hx("trigger.thrombosis", "trigger.stroke_tia")
        or p.dx("trigger.antiphospholipid_syndrome", "trigger.diabetes", "trigger.volume_depletion", "trigger.sepsis",
                "trigger.paraprotein")
        or p.drugs("oestrogen")
        or p.over(65)
    )  # fmt: skip
    kidney = p.kidney_disease() or p.drugs("nephrotoxic")
    if clot:
        yield "I1.3"
    if kidney:
        yield "I1.4"
    if p.hx(*ADULT_DM, "ctd.dermatomyositis_juvenile") and not clot and not kidney:
        yield "I1.5"


def procedures(p: Patient) -> Iterator[str]:
    limits = {"methylprednisolone": 16, "hydrocortisone": 80, "cortisone": 100}
    steroid = any(
        (d.daily_dose if d.daily_dose is not None else d.strength or 0)
        >= next((limits[name] for name in d.drugs if name in limits), 20)
        for d in p.drugs("glucocorticoid")
    )
    if (
        p.dx("trigger.digital_ischaemia", "trigger.smoker", "trigger.thrombocytopenia")
        or p.flag("digital-ischaemia")
        or p.touches("abi", None, None, "0.8")
        or steroid
        or p.drugs("dexamethasone", "betamethasone")
        or p.drugs("anticoagulant")
        or p.touches("platelets", None, None, "100")
        or p.lesion_in("head-face", but=("scalp",))
    ):
        yield "S1.1"
    if p.infection_here():
        yield "S1.2"
    cancer = {"exclude.malignancy", "trigger.breast_cancer", "mimic.metastasis", "mimic.cutaneous_lymphoma"}
    here = [s for le in p.case.lesions for s in le.sites]
    in_field = any(
        s.region == t.region and {s.laterality, t.laterality} != {"left", "right"}
        for f in p.facts.findings
        if f.certainty != "absent" and f.course == "active" and f.concepts & cancer
        for s in f.sites
        for t in here
    )
    if p.infection_here() or p.pregnant() or in_field:
        yield "E1.1"
    if p.dx("trigger.coagulopathy") or p.lesion_in("chest-breast", "back", but=("lower-back", "sacrum")):
        yield "E1.2"
    if p.lesion_in("abdomen"):
        yield "E1.3"
    if p.drugs("anticoagulant"):
        yield "E1.4"
    if p.pregnancy_unknown():
        yield "E1.5"
    quarter = p.day - timedelta(days=90)
    injected = any(
        "trigger.steroid_injection_at_lesion" in f.concepts and f.certainty != "absent"
        and (when.latest >= quarter if when else f.course == "active")
        for f in p.facts.findings for when in [f.onset or f.recorded or f.updated]
    )  # fmt: skip
    near_box = p.lesion_in("chest-breast", "shoulder-axilla", "upper-arm", "neck")
    if (
        p.lesion_in("head-face", "neck")
        or p.flag("nerve-compression")
        or (p.dx("trigger.pacemaker", "trigger.ventricular_pacemaker") and near_box)
        or injected
        or any(d.route == "intralesional" for d in p.drugs("glucocorticoid", "triamcinolone", days=90))
    ):
        yield "E1.6"


def tnf(p: Patient) -> Iterator[str]:
    if p.lupus() or p.hx(*OVERLAP):
        yield "N1n.1"
    adult_type = any(
        f.certainty != "absent" and f.concepts & set(ADULT_DM) and "ctd.dermatomyositis_juvenile" not in f.concepts
        for f in p.facts.findings
    )
    surely_child = p.age() is not None and p.age()[1] < 18
    if adult_type and not surely_child:
        yield "N1n.2"
    severe = p.dx("trigger.heart_failure_nyha_3_4") or (
        p.heart_failure() and not p.dx("trigger.heart_failure_nyha_1_2")
    )
    hbv = p.word("hbsag", "positive") or p.word("anti-hbc", "positive") or p.dx("trigger.hepatitis_b")
    if severe or p.hx("trigger.demyelination") or p.any_infection() or hbv:
        yield "N1n.3"
    if p.word("tb-test", "positive") or not p.word("tb-test", "negative", "normal") or p.hbv_unknown():
        yield "N1n.4"


PARTS = (infusions, procedures, tnf)
