"""Results, dates and orders that a safety rule needs, as laboratories and clinics write them; each with what is not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mappings.facts import NEEDS, Completeness, PatientFacts, Result
from mappings.raw import RawChart
from mappings.reader.access import Concept
from mappings.reader.dosage import daily_dose, strength_of
from tests.spec.harness import reader

READER = reader()
SUBJECT = {"reference": "Patient/p"}


def facts(*resources: dict[str, Any]) -> PatientFacts:
    return READER.read(RawChart("p", resources, {need: Completeness("complete") for need in NEEDS}))


def observation(code: dict[str, Any], **value: Any) -> dict[str, Any]:
    made = {"resourceType": "Observation", "id": "o", "status": "final", "subject": SUBJECT}
    return made | {"effectiveDateTime": "2026-05-20", "code": code} | value


def report(title: str, conclusion: str, category: str = "CUS") -> dict[str, Any]:
    made = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "subject": SUBJECT}
    coded = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": category}]}]
    return made | {
        "category": coded,
        "effectiveDateTime": "2026-05-20",
        "code": {"text": title},
        "conclusion": conclusion,
    }


def order(title: str, status: str = "active") -> dict[str, Any]:
    made = {"resourceType": "ServiceRequest", "id": "s", "status": status, "intent": "order", "subject": SUBJECT}
    return made | {"code": {"text": title}, "authoredOn": "2026-05-20"}


def result(analyte: str, *resources: dict[str, Any]) -> Result | None:
    return next((r for r in facts(*resources).results if r.analyte == analyte), None)


@pytest.mark.parametrize(
    ("words", "lowest"),
    [
        ("LVEF 35-40 %", 35),
        ("LVEF 35-40%, no valve disease.", 35),
        ("EF 30 to 35 %", 30),
        ("LVEF is severely reduced at 25%", 25),
        ("LVEF estimated at 30 %", 30),
        ("The ejection fraction is approximately 55-60%.", 55),
        ("EF 30 %, keine Vitien", 30),
        ("Linksventrikuläre Ejektionsfraktion hochgradig eingeschränkt, 25 %", None),
        ("FEVG estimée à 35 %", 35),
        ("FEVI conservada 60 %", 60),
        ("Normal valves. LV dimensions 45-50 mm.", None),
    ],
)
def test_an_ejection_fraction_is_read_as_it_is_dictated(words: str, lowest: int | None) -> None:
    found = result("ejection-fraction", report("Echocardiogram", words))
    assert (found.canonical_low if found else None) == lowest


@pytest.mark.parametrize(
    ("title", "words", "word"),
    [
        ("Oesophageal manometry", "Normal peristalsis and lower sphincter pressure. No dysmotility.", "normal"),
        ("Barium swallow", "Normal oesophageal motility, no stricture.", "normal"),
        ("Oesophageal manometry", "Absent peristalsis of the distal oesophagus.", None),
        ("Abdominal ultrasound", "Normal liver.", None),
    ],
)
def test_the_title_of_a_report_names_the_test(title: str, words: str, word: str | None) -> None:
    for category in ("GE", "RAD"):
        found = result("oesophageal-test", report(title, words, category))
        assert (found.word if found else None) == word


@pytest.mark.parametrize(
    ("name", "value", "unit", "analyte", "canonical"),
    [
        ("Thrombozyten", 71, "Gpt/l", "platelets", 71),
        ("Thrombozyten", 71, "Tsd/µl", "platelets", 71),
        ("ALAT (GPT)", 2.4, "µkat/l", "alt", 144),
        ("RR systolisch", 84, "mmHg", "systolic", 84),
        ("Presión arterial sistólica", 84, "mmHg", "systolic", 84),
        ("FEVI", 38, "%", "ejection-fraction", 38),
        ("CrCl (Cockcroft-Gault)", 31, "mL/min", "creatinine-clearance", 31),
        ("Creatinine clearance, 24 hour urine", 31, "mL/min", "creatinine-clearance", 31),
    ],
)
def test_a_result_under_its_local_name_and_unit(
    name: str, value: float, unit: str, analyte: str, canonical: int
) -> None:
    found = result(analyte, observation({"text": name}, valueQuantity={"value": value, "unit": unit}))
    assert found is not None
    assert found.canonical_low == Decimal(canonical)


POSITIVE = {"coding": [{"system": "http://snomed.info/sct", "code": "10828004"}]}


@pytest.mark.parametrize(
    ("name", "value", "analyte", "word"),
    [
        ("Urine pregnancy test", {"valueCodeableConcept": POSITIVE}, "pregnancy-test", "positive"),
        ("Urine pregnancy test", {"valueString": "negative"}, "pregnancy-test", "negative"),
        ("SS-A/Ro60 IgG", {"valueString": "POSITIVE (>240 U)"}, "anti-ro", "positive"),
        ("SS-A/Ro60 IgG", {"valueString": "Negative <7 U/mL"}, "anti-ro", "negative"),
        ("Urine calcium", {"valueString": "normal"}, "calcium-total", None),
    ],
)
def test_a_result_in_words(name: str, value: dict[str, Any], analyte: str, word: str | None) -> None:
    found = result(analyte, observation({"text": name}, **value))
    assert (found.word if found else None) == word


LOINC = "http://loinc.org"


@pytest.mark.parametrize(
    ("code", "value", "over"),
    [
        ({"coding": [{"system": LOINC, "code": "11778-8"}]}, {"valueDateTime": "2026-09-10"}, date(2026, 9, 24)),
        ({"text": "Estimated Due Date"}, {"valueString": "2026-09-10"}, date(2026, 9, 24)),
        ({"text": "Entbindungstermin"}, {"valueDateTime": "2026-09-10"}, date(2026, 9, 24)),
        ({"text": "EDD"}, {"valueString": "unknown"}, None),
        ({"text": "Next visit due date for vaccine"}, {"valueDateTime": "2026-09-10"}, None),
    ],
)
def test_a_due_date_is_a_pregnancy_until_it_is_past(
    code: dict[str, Any], value: dict[str, Any], over: date | None
) -> None:
    found = [f for f in facts(observation(code, **value)).findings if "trigger.pregnancy" in f.concepts]
    assert [f.ended.latest for f in found if f.ended] == ([over] if over else [])


@pytest.mark.parametrize(
    ("resource", "planned"),
    [
        (order("Tooth extraction 36, 37"), True),
        (order("Weisheitszahnentfernung"), True),
        (order("Exodontia do 36"), True),
        (order("Tooth extraction", status="revoked"), False),
        (order("Dental review"), False),
        (order("Extraction of foreign body"), False),
    ],
)
def test_an_ordered_tooth_extraction_is_planned(resource: dict[str, Any], planned: bool) -> None:
    found = {c for f in facts(resource).findings for c in f.concepts}
    assert ("trigger.tooth_extraction_planned" in found) is planned


@pytest.mark.parametrize(
    ("words", "units"),
    [
        ("Cholecalciferol 50,000 units once daily", 50000),
        ("colecalciferol 20.000 IE täglich", 20000),
        ("Vitamin D3 800 IU daily", 800),
        ("Vitamin D3 70,000 IU weekly", 10000),
    ],
)
def test_thousands_of_units(words: str, units: int) -> None:
    amount, unit = daily_dose({}, words, Concept((), words))
    assert amount is not None
    assert (round(amount), unit) == (units, "IU")


def test_a_strength_told_in_milligrams_and_units_is_one_of_units() -> None:
    assert strength_of({}, "cholecalciferol 1.25 MG (50000 UNT) Oral Capsule") == (Decimal(50000), "IU")
    assert strength_of({}, "digoxin 0.125 mg") == (Decimal("0.125"), "mg")


@pytest.mark.parametrize(
    ("words", "daily"),
    [
        ("Prednisolone 5mg tablets - take SIX in the morning", "30"),
        ("Simvastatin 10 mg tablets, take 4 tablets at night", "40"),
        ("Lovastatin 20 mg, two tablets daily", "40"),
        ("Prednisone 20 mg tabs, take 1-2 tabs daily", "40"),
        ("Metoprolol succ ER 50mg, 1/2 tab qd", "25"),
        ("Prednison 5 mg Tbl. zwei Tabl. täglich", "10"),
        ("simvastatin 40 mg (2 tablets) daily", "40"),
        ("Simvastatin 10 mg tablets, 28 tablets, 1 tablet at night", "10"),
        ("simvastatin 40mg nocte", "40"),
    ],
)
def test_how_many_of_a_strength_are_taken(words: str, daily: str) -> None:
    assert daily_dose({}, words, Concept((), words)) == (Decimal(daily), "mg")


@pytest.mark.parametrize(
    ("status", "done"),
    [("completed", True), ("Completed", True), ("in-progress", True), ("unknown", True), (None, True)]
    + [(word, False) for word in ("not-done", "Not-Done", "stopped", "aborted", "cancelled", "planned", "on-hold")],
)
def test_a_procedure_counts_only_where_it_may_have_been_done(status: str | None, done: bool) -> None:
    ecg = {"resourceType": "Procedure", "id": "e", "code": {"text": "ECG"}, "performedDateTime": "2026-05-20"}
    found = facts(ecg | {"subject": SUBJECT} | ({"status": status} if status else {}))
    assert [(a.kind, a.workup) for a in found.actions] == ([("done", frozenset({"ecg"}))] if done else [])
    assert bool(found.quarantined) is not done
