"""Facts built directly, for rules that a chart table can't reach exactly, and charts generated for the properties."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from hooks.assess import assess
from hooks.knowledge import load_knowledge
from hooks.model import Assessment
from mappings.dates import PartialDate
from mappings.facts import (
    Biopsy,
    Finding,
    Imaging,
    Lesion,
    Medication,
    PatientFacts,
    Result,
    Site,
)
from tests.charts import COMPLETE, TODAY

ELBOW, THIGH, FINGER = Site("elbow", "elbow", "left"), Site("thigh", "thigh", "right"), Site("hand", "finger")
SCROTUM, FACE = Site("genital", "scrotum"), Site("head-face", "face")
SITES = (ELBOW, THIGH, FINGER)
ADULT = PartialDate.parse("1980-01-01")


def days_ago(days: int) -> PartialDate:
    return PartialDate.of(TODAY - timedelta(days=days))


def lab(analyte: str, value: str, low: str | None, high: str | None, days: int, ref: str, /, **more: Any) -> Result:
    number = Decimal(value)
    fields: dict[str, Any] = {
        "low": number,
        "high": number,
        "unit": "mmol/L",
        "canonical_low": number,
        "canonical_high": number,
        "range_low": None if low is None else Decimal(low),
        "range_high": None if high is None else Decimal(high),
    }
    return Result(analyte, ref, days_ago(days), "final", **(fields | more))


def calcium(value: str = "2.31", days: int = 10, **more: Any) -> Result:
    return lab("calcium-total", value, "2.15", "2.57", days, "Observation/ca", **more)


def phosphate(value: str = "1.1", days: int = 10, **more: Any) -> Result:
    return lab("phosphate", value, "0.8", "1.5", days, "Observation/p", **more)


def disease(concept: str = "ctd.sle", ref: str = "Condition/ctd", **more: Any) -> Finding:
    return Finding(frozenset({concept}), "x", ref, **({"onset": days_ago(3000)} | more))


def lesion(ref: str = "Observation/l", **more: Any) -> Lesion:
    fields: dict[str, Any] = {
        "kind": "nodule",
        "label": "x",
        "hardness": "definite",
        "sites": (ELBOW,),
        "onset": days_ago(60),
        "recorded": days_ago(5),
    }
    return Lesion(ref, **(fields | more))


def patient(**more: Any) -> PatientFacts:
    """An adult with lupus, one hard new nodule of the left elbow, normal calcium and phosphate."""
    fields: dict[str, Any] = {
        "sex": "female",
        "born": ADULT,
        "findings": (disease(),),
        "results": (calcium(), phosphate()),
        "lesions": (lesion(),),
        "completeness": COMPLETE,
    }
    return PatientFacts("Patient/1", **(fields | more))


def judged(facts: PatientFacts) -> Assessment:
    return assess(facts, load_knowledge(), TODAY)


# ---- generated charts

HARDNESS = ("definite", "possible", "equivalent", "against", "unstated")
KINDS = ("nodule", "plaque", "papule", "induration", "ulcer", "mass", "calcification")
DISEASES = ("ctd.sle", "ctd.dermatomyositis", "ctd.systemic_sclerosis", "ctd.ra", "ctd.lupus_cutaneous")
OTHERS = ("trigger.diabetes", "exclude.malignancy", "trigger.gangrene_necrosis", "trigger.fever", "mimic.gout")
DAYS = st.integers(0, 900)


@st.composite
def lesions(draw: st.DrawFn, number: int) -> Lesion:
    return lesion(
        f"Observation/l{number}",
        kind=draw(st.sampled_from(KINDS)),
        hardness=draw(st.sampled_from(HARDNESS)),
        certainty=draw(st.sampled_from(["confirmed", "confirmed", "suspected"])),
        chalky=draw(st.booleans()),
        sites=draw(st.sampled_from([(), *((site,) for site in (*SITES, SCROTUM))])),
        onset=draw(st.none() | st.integers(0, 1500).map(days_ago)),
        recorded=draw(st.none() | DAYS.map(days_ago)),
        necrotic=draw(st.booleans()) and draw(st.booleans()),
        ulcerated=draw(st.booleans()),
        growing=draw(st.booleans()),
        pain=draw(st.sampled_from([None, "none", "mild", "severe"])),
    )


@st.composite
def charts(draw: st.DrawFn) -> PatientFacts:
    findings = [
        disease(
            draw(st.sampled_from((*DISEASES, "trigger.diabetes"))),
            certainty=draw(st.sampled_from(["confirmed", "suspected"])),
            onset=days_ago(draw(st.integers(30, 8000))),
        )
    ]
    findings.extend(
        Finding(frozenset({name}), "x", f"Condition/o{i}", sites=(ELBOW,), recorded=days_ago(draw(DAYS)))
        for i, name in enumerate(draw(st.lists(st.sampled_from(OTHERS), max_size=2, unique=True)))
    )
    results = [calcium(draw(st.sampled_from(["1.70", "2.10", "2.31", "2.57", "2.70", "3.30"])), draw(DAYS))]
    if draw(st.booleans()):
        results.append(phosphate(draw(st.sampled_from(["0.6", "1.1", "1.9"])), draw(DAYS)))
    if draw(st.booleans()):
        results.append(
            lab("albumin", draw(st.sampled_from(["25", "33", "42"])), "35", "50", 10, "Observation/alb", unit="g/L")
        )
    if draw(st.booleans()):
        results.append(lab("egfr", draw(st.sampled_from(["12", "45", "95"])), None, None, 20, "Observation/gfr"))
    imaging = tuple(
        Imaging(
            f"DiagnosticReport/i{i}",
            "radiograph",
            draw(st.sampled_from(["soft-tissue", "vascular-only", "none", "not-understood"])),
            draw(st.none() | DAYS.map(days_ago)),
            sites=(draw(st.sampled_from(SITES)),),
            cystic=draw(st.booleans()) and draw(st.booleans()),
        )
        for i in range(draw(st.integers(0, 2)))
    )
    biopsies = tuple(
        Biopsy("DiagnosticReport/b", draw(st.sampled_from(["calcium", "no-calcium"])), days_ago(draw(DAYS)), (ELBOW,))
        for _ in range(draw(st.integers(0, 1)))
    )
    medications = tuple(
        Medication(f"MedicationRequest/{name}", name, frozenset({name}), started=days_ago(draw(DAYS)))
        for name in draw(st.lists(st.sampled_from(["diltiazem", "warfarin", "colchicine"]), max_size=2, unique=True))
    )
    return PatientFacts(
        "Patient/1",
        sex=draw(st.sampled_from(["female", "male", "unknown"])),
        born=draw(st.sampled_from([None, ADULT, PartialDate.parse("2016")])),
        findings=tuple(findings),
        results=tuple(results),
        lesions=tuple(draw(lesions(i)) for i in range(draw(st.integers(0, 2)))),
        imaging=imaging,
        biopsies=biopsies,
        medications=medications,
        completeness=COMPLETE,
    )
