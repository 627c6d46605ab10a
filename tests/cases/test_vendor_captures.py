"""Answers recorded from Epic, Oracle Health and MEDITECH: each resource is a fact, is named, or is of no matter."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from typing import Any

import pytest

from mappings.codelists import load_terminology
from mappings.facts import PatientFacts
from mappings.raw import RawChart
from mappings.reader.access import concept
from mappings.text.engine import TextEngine
from mappings.units import load_units
from tests.charts import COMPLETE
from tests.public_data import lines, owner_of, resources_in
from tests.spec.harness import reader

OF_NO_MATTER = {
    "CapabilityStatement": "what the server can",
    "Conformance": "the same in an older release",
    "OperationOutcome": "issues of the search, read by the gatherer",
    "Encounter": "no fact of ours rests on it",
    "Immunization": "no data need of the contract",
    "CarePlan": "no data need of the contract",
    "CareTeam": "no data need of the contract",
    "Goal": "no data need of the contract",
}
FACTS = ("findings", "results", "lesions", "imaging", "biopsies", "medications", "allergies", "actions")


def reference(resource: dict[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource.get('id')}"


@cache
def heap() -> dict[str | None, list[dict[str, Any]]]:
    found: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
    for line in lines("vendor-captures"):
        for resource in resources_in(line.get("content", line)):
            found[owner_of(resource)].append(resource)
    return found


@cache
def facts_of(patient: str) -> PatientFacts:
    return reader().read(RawChart(patient, tuple(heap()[patient]), COMPLETE))


def fate(resource: dict[str, Any], facts: PatientFacts) -> str:
    ref = reference(resource)
    if any(ref == fact.ref for name in FACTS for fact in getattr(facts, name)):
        return "fact"
    if ref in {q.reference for q in facts.quarantined} or ref in facts.not_understood:
        return "named"
    if resource["resourceType"] in OF_NO_MATTER or resource["resourceType"] == "Patient":
        return "no matter"
    if is_repeat(resource, facts):
        return "repeat"
    if resource["resourceType"] == "DiagnosticReport" and resource.get("result") and not resource.get("conclusion"):
        return "container"  # its results are Observations of their own
    return "nothing of ours" if not says_something_of_ours(resource) else "lost"


def is_repeat(resource: dict[str, Any], facts: PatientFacts) -> bool:
    """The same result under another id."""
    alone = reader().read(RawChart(facts.reference.partition("/")[2], (resource,), COMPLETE)).results
    kept = {(r.analyte, r.date, r.low, r.high, r.unit) for r in facts.results}
    return bool(alone) and all((r.analyte, r.date, r.low, r.high, r.unit) in kept for r in alone)


def says_something_of_ours(resource: dict[str, Any]) -> bool:
    """By the code lists, the names of tests and the text engine, asked without the reader."""
    terminology, table, engine = load_terminology(), load_units(), TextEngine.load()
    names = [
        concept(resource.get(key)) for key in ("code", "type", "valueCodeableConcept", "medicationCodeableConcept")
    ]
    for component in resource.get("component") or ():
        names.extend(concept(component.get(key)) for key in ("code", "valueCodeableConcept"))
    for name in names:
        for coding in name.codings:
            if terminology.analyte(coding.system, coding.code) or terminology.concepts(coding.system, coding.code):
                return True
        for words in name.texts:
            reading = engine.read(words, kind="note")
            affirmed = [m for m in reading.concepts if m.status not in ("family", "other-person", "hypothetical")]
            if table.analyte_named(words) or affirmed or reading.lesions:
                return True
    notes = [note["text"] for note in resource.get("note") or () if "text" in note]
    conclusion = resource.get("conclusion")
    return any(engine.read(words, kind="note").lesions for words in (*notes, *([conclusion] if conclusion else [])))


def test_no_recorded_resource_is_lost() -> None:
    fates: Counter[str] = Counter()
    lost = []
    for patient, resources in heap().items():
        for resource in resources:
            if patient is None:
                assert resource["resourceType"] in OF_NO_MATTER, reference(resource)
                continue
            found = fate(resource, facts_of(patient))
            fates[found] += 1
            if found == "lost":
                lost.append(reference(resource))
    assert lost == [], lost
    assert fates["fact"] > 900
    assert set(fates) == {"fact", "named", "no matter", "nothing of ours", "container", "repeat"}


def test_every_recorded_medication_allergy_and_procedure_is_a_fact_or_named() -> None:
    for patient, resources in heap().items():
        for resource in resources:
            if patient and resource["resourceType"] in ("MedicationRequest", "AllergyIntolerance", "Procedure"):
                assert fate(resource, facts_of(patient)) in ("fact", "named"), reference(resource)


@pytest.mark.parametrize("vendor", ["epic", "cerner", "meditech"])
def test_each_vendor_is_among_the_recordings_and_gives_facts(vendor: str) -> None:
    owners = {
        owner_of(resource)
        for line in lines("vendor-captures")
        if f"/{vendor}/" in line["file"]
        for resource in resources_in(line.get("content", line))
    } - {None}
    assert any(getattr(facts_of(owner), name) for owner in owners if owner for name in FACTS)


def test_a_lost_resource_would_be_noticed() -> None:
    patient = next(p for p in heap() if p and facts_of(p).results)
    facts = facts_of(patient)
    ref = facts.results[0].ref
    resource = next(r for r in heap()[patient] if reference(r) == ref)
    assert says_something_of_ours(resource)
    assert fate(resource, PatientFacts(f"Patient/{patient}")) == "lost"
