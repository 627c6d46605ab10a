"""Charts for the safety matrix: drugs × conditions × results × vital signs × age × pregnancy × allergies × grade.

Everything is drawn from a seeded generator, so chart number n of a seed is always the same. One chart in four has
nothing against the first-line options; the others mix what the safety table asks for, values on its limits first.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from msgspec.structs import replace

from hooks.case import Case
from hooks.model import (
    Criteria,
    CtdCriterion,
    KidneyCriterion,
    LabCriterion,
    LesionCriterion,
    RedFlag,
    ReportCriterion,
)
from mappings.dates import PartialDate
from mappings.drugs import load_drugs
from mappings.facts import NEEDS, Action, Allergy, Completeness, Finding, Lesion, Medication, PatientFacts, Result, Site

DAY = date(2026, 6, 1)


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_DRUGS = load_drugs()

DRUGS = words(
    """
    ivabradine amiodarone metoprolol clonidine digoxin nifedipine amlodipine verapamil ciclosporin tacrolimus sirolimus
    everolimus voclosporin simvastatin lovastatin atorvastatin pravastatin colchicine diltiazem apixaban rivaroxaban
    carbamazepine methylprednisolone midazolam quetiapine buspirone lithium cimetidine sildenafil tadalafil
    clarithromycin itraconazole ritonavir rifampicin calcium-carbonate calcitriol alfacalcidol colecalciferol
    cyclophosphamide hydroxychloroquine chloroquine fenofibrate ranolazine erythromycin fluconazole isotretinoin
    acitretin amoxicillin flucloxacillin ergotamine methotrexate warfarin acenocoumarol enoxaparin acetylsalicylic-acid
    mycophenolate doxycycline minocycline levothyroxine alendronate risedronate pamidronate prednisone dexamethasone
    ferrous-sulfate ciprofloxacin ibuprofen gentamicin estradiol sodium-thiosulfate immunoglobulin rituximab adalimumab
    tofacitinib triamcinolone probenecid aluminium-hydroxide folic-acid omeprazole
    """
)
CLASSES = ("beta-blocker", "statin", "live-vaccine", "vka", "penicillin", "bisphosphonate")

CTD = words(
    """
    ctd.sle ctd.lupus_cutaneous ctd.lupus_panniculitis ctd.lupus_nephritis ctd.lupus_drug_induced ctd.systemic_sclerosis
    ctd.systemic_sclerosis_limited ctd.mctd ctd.overlap ctd.overlap_lupus ctd.uctd ctd.dermatomyositis
    ctd.dermatomyositis_amyopathic ctd.dermatomyositis_juvenile ctd.polymyositis ctd.morphea
    """
)

CONDITIONS = words(
    """
    sick_sinus av_block_high_grade av_block_first_degree ventricular_pacemaker pacemaker acute_mi pulmonary_congestion
    heart_failure heart_failure_systolic heart_failure_diastolic heart_failure_acute heart_failure_nyha_3_4
    heart_failure_nyha_1_2 right_heart_failure pre_excitation pulmonary_hypertension photosensitivity malar_rash
    subacute_cutaneous_lupus drug_induced_lupus hepatic_disease severe_liver_disease autoimmune_hepatitis dialysis esrd
    ckd ckd_3 ckd_5 kidney_disease kidney_transplant active_myositis blood_dyscrasia_cytopenia thrombocytopenia
    esophageal_motility esophageal_stricture barrett dysphagia cannot_sit_upright gi_involvement reflux
    vitamin_d_deficiency hypoparathyroidism hypocalcaemia osteonecrosis_jaw atypical_femur_fracture
    tooth_extraction_planned avascular_necrosis porphyria porphyria_acute retinoid_planned intracranial_hypertension
    myasthenia urate_stone g6pd_deficiency hypophosphataemia hypertension_uncontrolled metabolic_acidosis hepatitis_b
    hbv_prophylaxis infection_active skin_infection osteomyelitis tuberculosis uncontrolled_cardiac live_vaccine
    iga_deficiency anti_iga_antibodies thrombosis stroke_tia antiphospholipid_syndrome diabetes volume_depletion sepsis
    paraprotein digital_ischaemia smoker coagulopathy breast_cancer steroid_injection_at_lesion demyelination pregnancy
    lactation planning_pregnancy not_able_to_be_pregnant
    """
)
# Conditions that only mean something together.
TOGETHER = (
    ("sick_sinus", "ventricular_pacemaker"),
    ("av_block_high_grade", "ventricular_pacemaker"),
    ("acute_mi", "pulmonary_congestion"),
    ("pulmonary_hypertension", "right_heart_failure"),
    ("heart_failure", "heart_failure_nyha_1_2"),
    ("hepatitis_b", "hbv_prophylaxis"),
    ("iga_deficiency", "anti_iga_antibodies"),
)
OTHER = ("exclude.malignancy", "mimic.metastasis", "failed.diltiazem", "failed.colchicine", "failed.rituximab")

# analyte: (values on and around the limits of the table, canonical unit, laboratory range)
LABS: dict[str, tuple[tuple[str, ...], str, tuple[str, str] | None]] = {
    "egfr": (("8", "15", "29", "30", "34", "35", "49", "50", "59", "60", "90"), "mL/min/1.73m2", None),
    "alt": (("20", "45", "120", "121", "200"), "U/L", ("5", "40")),
    "creatine-kinase": (("90", "600", "601", "2000"), "U/L", ("30", "200")),
    "heart-rate": (("45", "49", "50", "59", "60", "72"), "/min", None),
    "systolic": (("85", "89", "90", "105", "106", "128", "159", "160"), "mm[Hg]", None),
    "diastolic": (("60", "80", "99", "100"), "mm[Hg]", None),
    "ejection-fraction": (("30", "40", "41", "60"), "%", None),
    "pr-interval": (("160", "200", "201", "240", "241"), "ms", None),
    "vitamin-d-25-oh": (("20", "29", "30", "75"), "nmol/L", None),
    "igg": (("4", "6", "10"), "g/L", ("7", "16")),
    "iga": (("0.05", "2"), "g/L", ("0.7", "4")),
    "abi": (("0.5", "0.79", "0.8", "1.1"), "1", None),
    "platelets": (("80", "99", "100", "140", "250"), "10*9/L", ("150", "400")),
    "leukocytes": (("2", "4", "7"), "10*9/L", ("4", "11")),
    "neutrophils": (("1", "2", "5"), "10*9/L", ("2", "7.5")),
    "creatinine": (("70", "104", "105", "180"), "umol/L", ("45", "104")),
    "phosphate": (("0.6", "1.1", "1.6"), "mmol/L", ("0.8", "1.5")),
    "c3": (("0.4", "1.1"), "g/L", ("0.9", "1.8")),
}
WORDS = {
    "ecg": ("normal", "abnormal"),
    "pregnancy-test": ("positive", "negative"),
    "hbsag": ("positive", "negative", "indeterminate"),
    "anti-hbc": ("positive", "negative"),
    "tb-test": ("positive", "negative", "indeterminate"),
    "anti-ro": ("positive", "negative"),
    "anti-la": ("positive", "negative"),
    "anti-dsdna": ("positive", "negative"),
    "anti-sm": ("positive", "negative"),
    "oesophageal-test": ("normal", "abnormal"),
}
CLEAN = {"egfr": "90", "alt": "20", "heart-rate": "72", "systolic": "128", "diastolic": "80", "creatinine": "70"}
SITES = (
    ("head-face", "face"), ("head-face", "scalp"), ("neck", "neck"), ("chest-breast", "breast"), ("abdomen", "abdomen"),
    ("back", "back"), ("back", "lower-back"), ("upper-arm", "upper-arm"), ("elbow", "elbow"), ("forearm", "forearm"),
    ("hand", "fingertip"), ("hand", "hand"), ("buttock-sacrum", "buttock"), ("thigh", "thigh"), ("knee", "knee"),
    ("lower-leg-ankle", "shin"), ("foot", "foot"),
)  # fmt: skip
SIDES = ("left", "right", "bilateral", None)
GRADES = ("likely", "likely", "likely", "confirmed", "probable", "possible", "incomplete", "alternative", "urgent")


@dataclass(frozen=True)
class Drawn:
    number: int
    facts: PatientFacts
    case: Case
    clean: bool
    """nothing is against the first-line options."""


def charts(count: int, seed: int = 1) -> Iterator[Drawn]:
    """`count` charts, the same for the same seed."""
    for number in range(count):
        yield draw(number, random.Random(f"{seed}-{number}"))


def draw(number: int, rng: random.Random) -> Drawn:
    clean = number % 4 == 0
    facts = _clean_facts(rng) if clean else _facts(rng)
    return Drawn(number, facts, _case(rng, clean), clean)


def _ago(days: int) -> PartialDate:
    return PartialDate.of(DAY - timedelta(days=days))


def _born(rng: random.Random, age: int) -> PartialDate:
    day = DAY.replace(year=DAY.year - age) - timedelta(days=rng.choice((0, 0, 1, 200)))
    if rng.random() < 0.1:
        return PartialDate.parse(str(day.year)) or PartialDate.of(day)
    return PartialDate.of(day)


def _complete() -> dict:
    return {need: Completeness("complete") for need in NEEDS}


def _number(rng: random.Random, ref: str, analyte: str, value: str, age: int, plain: bool = False) -> Result:
    _, unit, limits = LABS[analyte]
    amount = Decimal(value)
    low = high = amount
    comparator = None
    if not plain and rng.random() < 0.12:
        comparator = rng.choice(("<", ">", "<=", ">="))
        low, high = (None, amount) if comparator.startswith("<") else (amount, None)
    limits = None if limits is None or (not plain and rng.random() < 0.15) else limits
    return Result(
        analyte,
        ref,
        _ago(age),
        "preliminary" if not plain and rng.random() < 0.03 else "final",
        low=low,
        high=high,
        comparator=comparator,
        unit=unit,
        canonical_low=low,
        canonical_high=high,
        range_low=Decimal(limits[0]) if limits else None,
        range_high=Decimal(limits[1]) if limits else None,
        problem="unit-unknown" if not plain and rng.random() < 0.03 else None,
        flag=rng.choice((None, "normal", "high")) if limits is None and rng.random() < 0.2 and not plain else None,
    )


def _clean_facts(rng: random.Random) -> PatientFacts:
    results = [_number(rng, f"Observation/{a}", a, v, rng.choice((1, 30, 90)), plain=True) for a, v in CLEAN.items()]
    results.append(Result("ecg", "Observation/ecg", _ago(rng.choice((1, 90, 180))), "final", word="normal"))
    sex, age = ("male", rng.randint(18, 64)) if rng.random() < 0.7 else ("female", rng.randint(52, 64))
    harmless = [
        _medication(rng, n, name, plain=True) for n, name in enumerate(rng.sample(["folic-acid", "omeprazole"], 1))
    ]
    ctd = rng.choice(("ctd.systemic_sclerosis", "ctd.dermatomyositis", "ctd.sle", "ctd.polymyositis"))
    return PatientFacts(
        "Patient/p",
        sex=sex,
        born=_ago(age * 366),
        findings=(Finding(frozenset({ctd}), ctd, "Condition/ctd"),),
        results=tuple(results),
        medications=tuple(harmless),
        completeness=_complete(),
    )


def _facts(rng: random.Random) -> PatientFacts:
    few = rng.random() < 0.6  # near the clean chart: one or two things changed
    results = []
    for n, (analyte, (values, _, _)) in enumerate(LABS.items()):
        if few and analyte in CLEAN and rng.random() < 0.85:
            results.append(_number(rng, f"Observation/{n}", analyte, CLEAN[analyte], 5, plain=True))
        elif rng.random() < (0.15 if few else 0.6):
            for again in range(rng.choice((1, 1, 2))):
                age = rng.choice((0, 1, 7, 8, 30, 89, 90, 91, 180, 181, 365, 366, 900))
                results.append(_number(rng, f"Observation/{n}-{again}", analyte, rng.choice(values), age))
    for analyte, words in WORDS.items():
        if few and analyte == "ecg":
            results.append(Result("ecg", "Observation/ecg", _ago(20), "final", word="normal"))
        elif rng.random() < (0.15 if few else 0.5):
            age = rng.choice((0, 29, 30, 31, 180, 181, 365, 366))
            word = rng.choice(words)
            results.append(Result(analyte, f"Observation/{analyte}", _ago(age), "final", word=word))
    unread = {}
    if rng.random() < 0.1:
        unread = {rng.choice(("medications", "allergies")): rng.choice(("partial", "unavailable"))}
    age = rng.choice((5, 11, 12, 17, 18, 35, 50, 51, 65, 66, 75, 76, 90))
    names = rng.sample([*DRUGS, *CLASSES], rng.choice((0, 1, 2)) if few else rng.randint(0, 9))
    return PatientFacts(
        "Patient/p",
        sex=rng.choice(("female", "male", "unknown") if not few else ("female", "male", "male")),
        born=None if rng.random() < 0.04 else _born(rng, age),
        findings=tuple(_findings(rng, few)),
        results=_one_a_day(results),
        medications=tuple(_medication(rng, n, name) for n, name in enumerate(names)),
        allergies=tuple(_allergies(rng)),
        actions=tuple(_actions(rng)),
        completeness=_complete() | {need: Completeness(state, "refused") for need, state in unread.items()},
    )


def _one_a_day(results: list[Result]) -> tuple[Result, ...]:
    """Two results of one analyte on one day have no newest: keep the first."""
    seen: dict[tuple[str, object], Result] = {}
    for result in results:
        seen.setdefault((result.analyte, result.date), result)
    return tuple(seen.values())


def _findings(rng: random.Random, few: bool) -> Iterator[Finding]:
    for n, name in enumerate(rng.sample(CTD, rng.choice((1, 1, 2)))):
        yield _finding(rng, f"Condition/ctd-{n}", name)
    names = [f"trigger.{name}" for name in CONDITIONS] + list(OTHER)
    drawn = rng.sample(names, rng.choice((0, 1, 2)) if few else rng.randint(0, 9))
    if rng.random() < 0.15:
        drawn.extend(f"trigger.{name}" for name in rng.choice(TOGETHER))
    for n, name in enumerate(drawn):
        yield _finding(rng, f"Condition/{n}", name)


def _finding(rng: random.Random, ref: str, name: str) -> Finding:
    dated = rng.random() < 0.8
    site = rng.choice(SITES)
    return Finding(
        frozenset({name}),
        name.split(".")[-1].replace("_", " "),
        ref,
        certainty=rng.choices(("confirmed", "suspected", "absent"), (8, 1, 2))[0],
        course=rng.choices(("active", "resolved"), (5, 1))[0],
        onset=_ago(rng.choice((0, 20, 28, 29, 30, 31, 90, 91, 2000))) if dated else None,
        sites=(Site(*site, rng.choice(SIDES)),) if rng.random() < 0.4 else (),
        reason_for_encounter=rng.random() < 0.15,
    )


def _medication(rng: random.Random, n: int, name: str, plain: bool = False) -> Medication:
    ids = _DRUGS.class_ids(name) if name in CLASSES else _DRUGS.ids(name)
    base = Medication(f"MedicationRequest/{n}", name, drugs=ids.drugs, classes=ids.classes, started=_ago(400))
    if plain:
        return base
    state = rng.choices(("active", "stopped"), (4, 1))[0]
    ended = _ago(rng.choice((1, 13, 14, 15, 28, 29, 30, 31, 60, 90, 91))) if state == "stopped" else None
    if state == "stopped" and rng.random() < 0.2:
        ended = None
    if state == "active" and rng.random() < 0.05:
        ended = _ago(rng.choice((-10, 0, 3)))
    unit = "IU" if "colecalciferol" in ids.drugs else "mg"
    amounts = (800, 4000) if unit == "IU" else (5, 10, 19, 20, 21, 40)
    dose = rng.choice(("none", "daily", "strength"))
    return replace(
        base,
        state=state,
        ended=ended,
        started=_ago(rng.choice((5, 20, 400))),
        draft=rng.random() < 0.05,
        daily_dose=Decimal(rng.choice(amounts)) if dose == "daily" else None,
        dose_unit=unit if dose == "daily" else None,
        strength=Decimal(rng.choice(amounts)) if dose == "strength" else None,
        strength_unit=unit if dose == "strength" else None,
        route=rng.choice(("oral", "iv", "topical", "intralesional", None, None)),
        failed=rng.random() < 0.03,
    )


def _allergies(rng: random.Random) -> Iterator[Allergy]:
    if rng.random() < 0.75:
        return
    pool = words(
        """
        diltiazem rituximab doxycycline minocycline alendronate zoledronate immunoglobulin adalimumab tofacitinib
        triamcinolone probenecid colchicine sodium-thiosulfate omeprazole
        """
    )
    for n in range(rng.choice((1, 1, 2))):
        name = rng.choice((*pool, "sulfite", "tetracycline", "bisphosphonate"))
        ids = _DRUGS.ids(name) if name in pool else _DRUGS.class_ids(name)
        tolerated = rng.random() < 0.25 and name in pool
        yield Allergy(
            f"AllergyIntolerance/{n}",
            name,
            drugs=ids.drugs,
            classes=ids.classes,
            severe=rng.random() < 0.4,
            tolerated_dose=Decimal(rng.choice((60, 180, 240))) if tolerated else None,
            dose_unit="mg" if tolerated else None,
        )


def _actions(rng: random.Random) -> Iterator[Action]:
    if rng.random() < 0.1:
        yield Action("Procedure/ecg", "ECG", "done", workup=frozenset({"ecg"}), date=_ago(rng.choice((10, 180, 181))))
    if rng.random() < 0.03:
        yield Action("ServiceRequest/s", "surgery", "ordered", workup=frozenset({"referral-surgery"}), date=_ago(3))


def _lesions(rng: random.Random, clean: bool) -> tuple[Lesion, ...]:
    pool = [site for site in SITES if site[0] in ("elbow", "thigh", "knee", "forearm")] if clean else SITES
    return tuple(
        Lesion(
            f"Observation/lesion-{n}",
            "nodule",
            "hard nodule",
            hardness="definite",
            sites=(Site(*rng.choice(pool), rng.choice(SIDES)),) if clean or rng.random() < 0.9 else (),
            ulcerated=not clean and rng.random() < 0.3,
            inflamed=not clean and rng.random() < 0.3,
            pain=rng.choice((None, "mild", "severe")),
        )
        for n in range(rng.choice((1, 2, 3)))
    )


def _case(rng: random.Random, clean: bool) -> Case:
    def lab(*choices: str) -> LabCriterion:
        status = rng.choice(choices)
        return LabCriterion(status, "because", category=status)  # type: ignore[arg-type]

    none = ReportCriterion("not-done", "because")
    extent = rng.choice(("localized", "extensive")) if clean else rng.choice(("localized", "extensive", "unknown"))
    flags = [] if clean else [f for f in ("infection", "calciphylaxis", "digital-ischaemia", "nerve-compression")
                              if rng.random() < 0.05]  # fmt: skip
    criteria = Criteria(
        ctd=CtdCriterion("met", "because", "confirmed", 1),
        lesion=LesionCriterion("met", "because", "definite", "N1", extent=extent),  # type: ignore[arg-type]
        calcium=lab("normal") if clean else lab("normal", "normal", "low", "borderline"),
        phosphate=lab("normal") if clean else lab("normal", "normal", "low", "unknown"),
        pth=LabCriterion("unknown", "because"),
        kidney=KidneyCriterion("unknown", "because"),
        imaging=none,
        biopsy=none,
    )
    grade = rng.choice(("likely", "confirmed")) if clean else rng.choice(GRADES)
    return Case(grade, criteria, lesions=_lesions(rng, clean), red_flags=tuple(RedFlag(f, f) for f in flags))
