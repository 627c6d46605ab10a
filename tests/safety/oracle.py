"""An independent reading of the safety table in plain Python: no data files, no engine, one `if` after the other.

`judge(facts, case, day)` says for every agent which tests fire, the decision word and whether an order may be drafted.
Written from the clinical table alone; where the engine and this reading part, one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from hooks.case import Case
from mappings.facts import Finding, Medication, PatientFacts, Result
from tests.safety.table import EVERY, typed

TABLE = typed()
LUPUS = (
    "ctd.sle", "ctd.lupus_cutaneous", "ctd.lupus_panniculitis", "ctd.lupus_nephritis", "ctd.lupus_drug_induced",
    "trigger.drug_induced_lupus", "trigger.subacute_cutaneous_lupus",
)  # fmt: skip
SSC = ("ctd.systemic_sclerosis", "ctd.systemic_sclerosis_limited", "ctd.systemic_sclerosis_diffuse")
OVERLAP = ("ctd.overlap", "ctd.overlap_lupus")
ADULT_DM = ("ctd.dermatomyositis", "ctd.dermatomyositis_amyopathic", "ctd.dermatomyositis_paraneoplastic")
HEART_FAILURE = (
    "trigger.heart_failure", "trigger.heart_failure_systolic", "trigger.heart_failure_diastolic",
    "trigger.heart_failure_acute", "trigger.heart_failure_nyha_3_4", "trigger.heart_failure_nyha_1_2",
    "trigger.right_heart_failure",
)  # fmt: skip
# How each agent is found on a medication or allergy list: (ingredients, class shared for allergies, route).
NAMED = {
    "diltiazem": ({"diltiazem"}, None, None),
    "minocycline": ({"minocycline"}, "tetracycline", None),
    "colchicine": ({"colchicine"}, None, None),
    "alendronate": ({"alendronate"}, "bisphosphonate", None),
    "risedronate": ({"risedronate"}, "bisphosphonate", None),
    "pamidronate": ({"pamidronate"}, "bisphosphonate", None),
    "sodium-thiosulfate-topical": ({"sodium-thiosulfate"}, "thiosulfate", "topical"),
    "sodium-thiosulfate-intralesional": ({"sodium-thiosulfate"}, "thiosulfate", "intralesional"),
    "sodium-thiosulfate-iv": ({"sodium-thiosulfate"}, "thiosulfate", "iv"),
    "ivig": ({"immunoglobulin"}, "immunoglobulin", None),
    "rituximab": ({"rituximab"}, "anti-cd20", None),
    "tnf-inhibitor": (set(), "tnf-inhibitor", None),
    "jak-inhibitor": ({"tofacitinib"}, "jak-inhibitor", None),
    "corticosteroid-intralesional": ({"triamcinolone"}, None, "intralesional"),
    "aluminium-hydroxide": ({"aluminium-hydroxide"}, None, None),
    "probenecid": ({"probenecid"}, None, None),
    "warfarin": ({"warfarin"}, None, None),
}
BARE_CLASS = {"corticosteroid-intralesional": "glucocorticoid", "warfarin": "vka"}
BY_CLASS = {"tnf-inhibitor": "tnf-inhibitor", "jak-inhibitor": "jak-inhibitor", "ivig": "immunoglobulin"}


@dataclass
class Expected:
    """What must come out for one agent."""

    tests: list[str] = field(default_factory=list)
    word: str | None = None
    """None: no rule decides, so offer or not-indicated by fitness."""
    draft: bool = True
    """whether the table lets an order be drafted (fitness apart)."""

    @property
    def reported(self) -> list[str]:
        return list(dict.fromkeys(test.split(".")[0] for test in self.tests))


class Patient:
    def __init__(self, facts: PatientFacts, case: Case, day: date) -> None:
        self.facts, self.case, self.day = facts, case, day

    # conditions
    def _has(self, concepts: tuple[str, ...], resolved: bool) -> bool:
        return any(
            f.certainty != "absent" and (resolved or f.course == "active") and f.concepts & set(concepts)
            for f in self.facts.findings
        )

    def dx(self, *concepts: str) -> bool:
        return self._has(concepts, False)

    def hx(self, *concepts: str) -> bool:
        return self._has(concepts, True)

    def absent(self, concept: str) -> bool:
        return any(f.certainty == "absent" and concept in f.concepts for f in self.facts.findings)

    def flag(self, name: str) -> bool:
        return name in self.case.flags

    # drugs
    def on_list(self, drug: Medication, days: int = 0) -> bool:
        if drug.state == "active" and (drug.ended is None or drug.ended.latest >= self.day):
            return True
        if not days:
            return False
        end = drug.ended or drug.started
        return end is not None and end.latest >= self.day - timedelta(days=days)

    def drugs(self, *names: str, days: int = 0) -> list[Medication]:
        return [d for d in self.facts.medications if (d.drugs | d.classes) & set(names) and self.on_list(d, days)]

    # results
    def value(self, analyte: str, window: int | None = None, number: bool = True) -> Result | None:
        found = [
            r
            for r in self.facts.results
            if r.analyte == analyte
            and r.date
            and r.status == "final"
            and r.problem is None
            and (r.low is not None or r.high is not None or (r.word is not None and not number))
        ]
        if not found:
            return None
        newest = max(found, key=lambda r: (r.date.latest, r.date.earliest, r.ref))
        if window is not None and (self.day - newest.date.earliest).days > window:
            return None
        return newest

    def touches(self, analyte: str, window: int | None, low: str | None, high: str | None, closed: str = "") -> bool:
        """Some value of the result lies between the limits; `closed` names the limits that belong to the range."""
        r = self.value(analyte, window)
        if r is None or (r.canonical_low is None and r.canonical_high is None):
            return False
        if low is not None and r.canonical_high is not None:
            at = r.canonical_high == Decimal(low)
            if r.canonical_high < Decimal(low) or (at and ("low" not in closed or r.comparator == "<")):
                return False
        if high is not None and r.canonical_low is not None:
            at = r.canonical_low == Decimal(high)
            if r.canonical_low > Decimal(high) or (at and ("high" not in closed or r.comparator == ">")):
                return False
        return True

    def word(self, analyte: str, *words: str, window: int | None = None) -> bool:
        r = self.value(analyte, window, number=False)
        return r is not None and r.word in words

    def against_range(self, analyte: str, window: int | None = None) -> str | None:
        r = self.value(analyte, window, number=False)
        if r is None:
            return None
        if r.low is None and r.high is None:
            return r.word
        if r.range_low is None and r.range_high is None:
            return r.flag
        if r.range_low is not None and r.high is not None and r.high < r.range_low:
            return "low"
        if r.range_high is not None and r.low is not None and r.low > r.range_high:
            return "high"
        return None

    def times_upper(self, analyte: str, times: int, window: int) -> bool:
        r = self.value(analyte, window, number=False)
        if r is None:
            return False
        if r.low is None and r.high is None:
            return r.word == "high"
        if r.range_high is None:
            return r.flag in ("high", "critical-high")
        return r.high is None or r.high > times * r.range_high

    # composite conditions of the conventions
    def age(self) -> tuple[int, int] | None:
        born = self.facts.born
        if born is None or born.earliest > self.day:
            return None

        def years(b: date) -> int:
            return self.day.year - b.year - ((self.day.month, self.day.day) < (b.month, b.day))

        return years(min(born.latest, self.day)), years(born.earliest)

    def under(self, limit: int) -> bool:
        return self.age() is not None and self.age()[0] < limit

    def over(self, limit: int) -> bool:
        return self.age() is not None and self.age()[1] > limit

    def pregnant(self) -> bool:
        return self.dx("trigger.pregnancy") or self.word("pregnancy-test", "positive", window=30)

    def pregnancy_unknown(self) -> bool:
        if self.facts.sex == "male" or self.pregnant():
            return False
        if self.age() is not None and (self.age()[1] < 12 or self.age()[0] > 50):
            return False
        month = self.day - timedelta(days=30)
        charted = any(
            f.certainty == "absent"
            and "trigger.pregnancy" in f.concepts
            and when is not None
            and when.earliest >= month
            for f in self.facts.findings
            for when in [f.onset or f.recorded or f.updated]
        )
        negative = self.word("pregnancy-test", "negative", window=30)
        return not (charted or negative or self.hx("trigger.not_able_to_be_pregnant"))

    def egfr_unknown(self) -> bool:
        return self.value("egfr", 90) is None

    def egfr_below(self, limit: str) -> bool:
        return self.touches("egfr", 90, None, limit)

    def alt_unknown(self) -> bool:
        r = self.value("alt", 90, number=False)
        return r is None or (r.range_high is None and r.flag is None and r.word is None)

    def hepatic(self) -> bool:
        return self.dx("trigger.hepatic_disease", "trigger.severe_liver_disease") or self.times_upper("alt", 3, 90)

    def lupus(self) -> bool:
        return self.hx(*LUPUS)

    def positive(self, analyte: str) -> bool:
        return self.word(analyte, "positive") or self.against_range(analyte) == "high"

    def lupus_feature(self) -> bool:
        return (
            self.lupus()
            or self.hx("ctd.overlap_lupus", "trigger.malar_rash")
            or self.positive("anti-dsdna")
            or self.positive("anti-sm")
            or self.against_range("c3") == "low"
            or self.against_range("c4") == "low"
        )

    def cytopenia(self) -> bool:
        return self.dx("trigger.blood_dyscrasia_cytopenia", "trigger.thrombocytopenia") or any(
            self.against_range(a) == "low" for a in ("leukocytes", "neutrophils", "platelets")
        )

    def heart_failure(self) -> list[Finding]:
        return [
            f
            for f in self.facts.findings
            if f.certainty != "absent" and f.course == "active" and f.concepts & set(HEART_FAILURE)
        ]

    def other_heart_failure(self) -> bool:
        special = {"trigger.heart_failure_systolic", "trigger.heart_failure_acute"}
        return any(not f.concepts & special and not f.reason_for_encounter for f in self.heart_failure())

    def infection_here(self) -> bool:
        if self.flag("infection"):
            return True
        lesion_sites = [s for le in self.case.lesions for s in le.sites]
        kinds = {"trigger.skin_infection", "trigger.skin_abscess", "trigger.osteomyelitis", "mimic.atypical_infection"}
        for f in self.facts.findings:
            if f.certainty != "absent" and f.course == "active" and f.concepts & kinds:
                if not f.sites or not lesion_sites:
                    return True
                if any(s.region == t.region and {s.laterality, t.laterality} != {"left", "right"}
                       for s in f.sites for t in lesion_sites):  # fmt: skip
                    return True
        return False

    def any_infection(self) -> bool:
        return self.flag("infection") or self.dx(
            "trigger.infection_active", "trigger.skin_infection", "trigger.skin_abscess", "trigger.osteomyelitis",
            "trigger.sepsis", "trigger.tuberculosis",
        )  # fmt: skip

    def lesion_in(self, *regions: str, but: tuple[str, ...] = ()) -> bool:
        return any(s.region in regions and s.place not in but for le in self.case.lesions for s in le.sites)

    def kidney_disease(self) -> bool:
        coded = any(
            f.certainty != "absent" and f.course == "active"
            and any(c.startswith("trigger.ckd") or c in {"trigger.kidney_disease", "trigger.esrd", "trigger.dialysis",
                                                         "trigger.kidney_transplant"} for c in f.concepts)
            for f in self.facts.findings
        )  # fmt: skip
        return (
            coded
            or self.hx("ctd.lupus_nephritis")
            or self.against_range("creatinine", 90) == "high"
            or self.egfr_below("60")
        )

    def hbv_unknown(self) -> bool:
        return any(not self.word(a, "positive", "negative", window=365) for a in ("hbsag", "anti-hbc"))


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
    steroid = any(
        (d.daily_dose >= 20 if d.daily_dose is not None else (d.strength or 0) >= 20) for d in p.drugs("glucocorticoid")
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
    if not p.word("tb-test", "positive", "negative", "normal") or p.hbv_unknown():
        yield "N1n.4"


def own(agent: str, p: Patient) -> Iterator[str]:
    """G3.1, G3.2, G4.5, G4.7 of one agent."""
    drugs, shared, route = NAMED.get(agent, (set(), None, None))
    for a in p.facts.allergies:
        if a.certainty == "absent":
            continue
        itself = a.drugs & drugs or (not a.drugs and a.classes & {shared, BARE_CLASS.get(agent)} - {None})
        if itself and a.tolerated_dose is not None:
            yield "G3.2"
        elif itself or shared in a.classes:
            yield "G3.1"
    mine = drugs | ({BY_CLASS[agent]} if agent in BY_CLASS else set())
    if any(d.failed and (d.drugs | d.classes) & mine for d in p.facts.medications) or any(
        p.dx(f"failed.{name}") for name in mine
    ):
        yield "G4.5"
    if any(route is None or d.route in (None, route) for d in p.drugs(*mine)):
        yield "G4.7"
    if agent == "surgical-excision" and any(
        a.kind != "done" and "referral-surgery" in a.workup for a in p.facts.actions
    ):
        yield "G4.7"


def pair_fits(agent: str, case: Case) -> bool:
    """For whom the pair is suggested at all: diltiazem by extent, colchicine for inflammation and ulcers."""
    if agent == "colchicine":
        return any(le.ulcerated or le.inflamed or le.spreading_erythema or le.draining for le in case.lesions)
    face = any(s.region == "head-face" and s.place != "scalp" for le in case.lesions for s in le.sites)
    extent = case.criteria.lesion.extent
    return extent == "extensive" or (extent == "localized" and face)


def judge(facts: PatientFacts, case: Case, day: date) -> dict[str, Expected]:
    p = Patient(facts, case, day)
    order = list(TABLE)
    parts = (general, diltiazem, colchicine, bisphosphonates, minocycline, historical, infusions, procedures, tnf)
    common = {test for part in parts for test in part(p)}
    expected = {}
    for agent in EVERY.split():
        fired = {test for test in common if agent in TABLE[test][0]} | set(own(agent, p))
        expected[agent] = weigh(sorted(fired, key=order.index))
    pair = ("diltiazem", "colchicine")
    free = not any(p.drugs(name) for name in pair)
    if free and all(expected[name].draft and pair_fits(name, case) for name in pair):
        later = "diltiazem" if case.criteria.lesion.extent != "extensive" else "colchicine"
        for name in pair:
            tests = sorted([*expected[name].tests, "D8.4"], key=order.index)
            expected[name] = weigh(tests)
            expected[name].draft = name != later
    return expected


def weigh(tests: list[str]) -> Expected:
    """BLOCK > NEED > REPLACE > WARN order=off > CAP > WARN > NONE."""
    actions = {TABLE[test][1] for test in tests}
    off = any(TABLE[test][2] for test in tests)
    word = None
    if "block" in actions:
        only_failed = {test for test in tests if TABLE[test][1] == "block"} == {"G4.5"}
        word = "not-indicated" if only_failed else "block"
    elif "need" in actions:
        word = "need"
    elif actions & {"replace", "warn", "cap"}:
        word = "warn"
    return Expected(tests, word, draft=not off and not actions & {"block", "need", "replace"})
