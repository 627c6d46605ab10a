"""One patient as the independent reading sees it: the conventions of the safety table in plain Python."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hooks.case import Case
from mappings.facts import Finding, Medication, PatientFacts, Result

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
        lower, upper = r.range_low, r.range_high
        if lower is not None and r.high is not None and (r.high < lower or f"{r.comparator}{r.high}" == f"<{lower}"):
            return "low"
        if upper is not None and r.low is not None and (r.low > upper or f"{r.comparator}{r.low}" == f">{upper}"):
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
        return self.value("egfr", 90) is None or self.creatinine_risen_since()

    def creatinine_risen_since(self) -> bool:
        """Newer than the eGFR, and more than half above the upper limit of its range or above 2 mg/dL."""
        made, other = self.value("creatinine", 90, number=False), self.value("egfr")
        if made is None or other is None or made.date is None or other.date is None:
            return False
        if made.date.sort_key <= other.date.sort_key:
            return False
        if made.low is None and made.high is None:
            return made.word == "high"
        half_above = made.range_high is not None and (made.high is None or made.high > made.range_high * Decimal("1.5"))
        flagged = made.range_high is None and made.flag in ("high", "critical-high")
        return half_above or flagged or self.touches("creatinine", 90, "176.8", None)

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
