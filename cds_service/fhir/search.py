"""How one data need is read from a FHIR server: the widest search first, the narrower ones when the server asks."""

from __future__ import annotations

import asyncio

from cds_service.fhir.client import Deadline, FhirClient, Read
from mappings.codelists import load_terminology
from mappings.facts import Need

Parameters = list[tuple[str, str]]
_CATEGORIES: dict[str, tuple[str, ...]] = {
    "Observation": ("laboratory", "vital-signs", "exam", "survey", "social-history", "imaging", "procedure"),
    "Condition": ("problem-list-item", "encounter-diagnosis", "health-concern"),
    "DiagnosticReport": ("LAB", "RAD", "PAT", "imaging"),
    "ServiceRequest": ("laboratory", "imaging", "referral"),
}
_SEARCHES: dict[Need, tuple[tuple[str, Parameters], ...]] = {
    "conditions": (("Condition", [("_count", "200")]),),
    "observations": (("Observation", [("_sort", "-date"), ("_count", "500")]),),
    "diagnosticReports": (("DiagnosticReport", [("_sort", "-date"), ("_count", "100")]),),
    "medications": (("MedicationRequest", [("_count", "200")]),),
    "allergies": (("AllergyIntolerance", [("_count", "100")]),),
    "procedures": (("Procedure", [("_sort", "-date"), ("_count", "100")]),),
    "serviceRequests": (("ServiceRequest", [("status", "draft,active,on-hold"), ("_count", "100")]),),
}
_ASKS_FOR_MORE = frozenset({"required", "invalid", "not-supported", "too-costly"})
_ANALYTES = (
    "calcium-total",
    "calcium-ionized",
    "calcium-adjusted",
    "albumin",
    "phosphate",
    "creatinine",
    "egfr",
    "pth",
)
_URL_BUDGET = 1500


async def read_need(client: FhirClient, need: Need, patient_id: str, deadline: Deadline) -> Read:
    """Everything of one need; `failed` when nothing could be read, `partial` when something is missing."""
    if need == "patient":
        return await client.read(f"Patient/{patient_id}", deadline)
    kind, extra = _SEARCHES[need][0]
    base: Parameters = [("patient", patient_id)]
    first = await client.search(kind, [*base, *extra], deadline)
    if first.status == 400 and _sorted(extra) and not first.issue_codes & {"required"}:
        first = await client.search(kind, [*base, *(p for p in extra if p[0] != "_sort")], deadline)
    if first.status != 400 or kind not in _CATEGORIES:
        return first
    return await _by_category(client, kind, base, deadline)


def _sorted(extra: Parameters) -> bool:
    return any(name == "_sort" for name, _ in extra)


async def _by_category(client: FhirClient, kind: str, base: Parameters, deadline: Deadline) -> Read:
    """One search per category in parallel, and one by code for the decisive analytes; categories that the server does
    not know are no loss as long as one of the searches was answered."""
    searches: list[Parameters] = [[*base, ("category", c), ("_count", "200")] for c in _CATEGORIES[kind]]
    if kind == "Observation":
        codes = load_terminology().loinc_for(_ANALYTES)
        searches.extend([[*base, ("code", chunk), ("_count", "200")] for chunk in _chunks(codes)])
    answers = await asyncio.gather(*(client.search(kind, search, deadline) for search in searches))
    merged = Read(status=200)
    for answer in answers:
        merged.resources.extend(answer.resources)
        merged.issues.extend(answer.issues)
        merged.partial = merged.partial or answer.partial
    failed = [a for a in answers if a.failed is not None]
    refused = [a for a in failed if a.status != 400]
    if len(failed) == len(answers):
        merged.failed, merged.status = failed[0].failed, failed[0].status
    elif refused:
        merged.partial = refused[0].failed
    return merged


def _chunks(codes: tuple[str, ...]) -> list[str]:
    chunks: list[list[str]] = [[]]
    for code in codes:
        coded = f"http://loinc.org|{code}"
        if sum(len(c) + 1 for c in chunks[-1]) + len(coded) > _URL_BUDGET:
            chunks.append([])
        chunks[-1].append(coded)
    return [",".join(chunk) for chunk in chunks if chunk]
