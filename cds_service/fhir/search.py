"""How one data need is read from a FHIR server: the widest search first, the narrower ones when the server asks."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from cds_service.fhir.capability import Manner
from cds_service.fhir.client import Deadline, FhirClient, Read
from cds_service.prefetch import NEEDS_OF, issue_reason
from mappings.codelists import load_terminology
from mappings.facts import Need
from mappings.raw import Resource
from mappings.units import load_units

Parameters = list[tuple[str, str]]
_CATEGORIES: dict[str, tuple[str, ...]] = {
    "Observation": ("laboratory", "vital-signs", "exam", "survey", "social-history", "imaging", "procedure"),
    "Condition": ("problem-list-item", "encounter-diagnosis", "health-concern"),
    "DiagnosticReport": ("LAB", "RAD", "PAT", "imaging"),
    "ServiceRequest": ("laboratory", "imaging", "referral"),
}
_CORE: dict[str, str] = {"Observation": "laboratory", "Condition": "problem-list-item"}
"""the category without which the answer is not the whole; another one that a server does not know is no loss."""
_SEARCHES: dict[Need, tuple[str, Parameters]] = {
    "conditions": ("Condition", []),
    "observations": ("Observation", [("_sort", "-date")]),
    "diagnosticReports": ("DiagnosticReport", [("_sort", "-date")]),
    "medications": ("MedicationRequest", [("_include", "MedicationRequest:medication")]),
    "allergies": ("AllergyIntolerance", []),
    "procedures": ("Procedure", [("_sort", "-date")]),
    "serviceRequests": ("ServiceRequest", [("status", "draft,active,on-hold")]),
}
_LONG, _SHORT = 1000, 200
"""resources a page: what most servers give at most (Epic, Microsoft, Google, Oracle Health AI; others give what they
can), and what all take: https://docs.oracle.com/en/industries/health/millennium-platform-apis/mfrap/"""
_SHARE = 1 / 2
"""of the time left that a long page may be expected to take: what comes too late would be nothing, where of short pages
the newest had come."""
_COUNT = {"DiagnosticReport": 100, "AllergyIntolerance": 100, "ServiceRequest": 100, "ProcedureRequest": 100}
"""the page of types that are large, or few."""
_OLDER_NAME: dict[str, str] = {"ServiceRequest": "ProcedureRequest"}
"""what a STU3 server calls the type; asked for only when the server does not know ours."""
_TOO_MUCH = frozenset({"timeout", "too-large"})
"""what becomes of a page that is too long."""
_NOT_SO = frozenset({400, 422})
"""by which servers refuse a search for what it asks: a parameter, a value, or one that is not there."""
_UNSUPPORTED = frozenset({404, 405, 501})
_NO_POST = _NOT_SO | {403, 404, 405, 406, 411, 415, 501}
"""by which servers and the gateways before them refuse a search by POST."""
_URL_BUDGET = 1500
_MOST_MEDICATIONS = 40
"""Medications that are read one by one; more is named."""


async def read_need(client: FhirClient, need: Need, patient_id: str, deadline: Deadline) -> Read:
    """Everything of one need; `failed` when nothing could be read, `partial` when something is missing."""
    if need == "patient":
        return _of_need(await client.read("Patient", patient_id, deadline), need)
    kind, extra = _SEARCHES[need]
    if kind in _OLDER_NAME and client.capability.version == "STU3":
        kind = _OLDER_NAME[kind]
    found = await _read_kind(client, kind, [("patient", patient_id)], extra, deadline)
    if need == "observations" and found.count and not found.has_newest and is_part(found):
        found = await _with_newest(client, kind, [("patient", patient_id)], found, deadline)
    if kind in _OLDER_NAME and not_supported(found):
        older = await _read_kind(client, _OLDER_NAME[kind], [("patient", patient_id)], extra, deadline)
        found = older if older.failed is None else found
    if found.failed is not None and "not-supported" in found.issue_codes:
        found.failed = "not supported by server"
    found = _of_need(found, need)
    return await with_medications(client, found, deadline) if need == "medications" else found


def _of_need(found: Read, need: Need) -> Read:
    """The answer, unless nothing in it is of a type that was asked for: that is no word about this need, least of all
    that there is nothing."""
    if found.count == 0 or any(NEEDS_OF.get(kind) == need for kind in found.kinds):
        return found
    return Read(failed="wrong resource type", status=found.status)


async def _read_kind(client: FhirClient, kind: str, base: Parameters, extra: Parameters, deadline: Deadline) -> Read:
    """The wide search; on a refusal without what the server may not know (`_sort`, `_include`, any `_count`), and where
    it demands a category (issue code `required`) or still refuses, category by category. What a server refused once is
    not tried again."""
    if kind in _CATEGORIES and "by-category" in client.manners(kind):
        return await _by_category(client, kind, base, deadline)
    found = await in_some_way(client, kind, base, extra, deadline)
    if found.status not in _NOT_SO or kind not in _CATEGORIES:
        return found
    found = await _by_category(client, kind, base, deadline)
    if found.failed is None:
        client.has_manner(kind, "by-category")
    return found


async def in_some_way(client: FhirClient, kind: str, base: Parameters, extra: Parameters, deadline: Deadline) -> Read:
    """The widest search that the server takes; its refusal when it takes none, or demands another parameter."""
    found = Read(status=400)
    for manner, more in _ways(kind, extra, client.manners(kind)):
        begun = deadline.left
        found = await client.search(kind, [*base, *more], deadline)
        if found.status in _NOT_SO and "required" not in found.issue_codes:
            if manner == "long":
                client.has_manner(kind, "short")
            continue
        if found.failed in _TOO_MUCH and manner == "long":
            client.has_manner(kind, "short", lasting=False)
        elif manner != "long" and (found.failed is None or (manner != "counted" and "required" in found.issue_codes)):
            client.has_manner(kind, manner)
        if manner == "counted" and _is_quick(found, begun - deadline.left, begun):
            client.has_manner(kind, "long", lasting=False)
        break
    return found


def _is_quick(found: Read, took: float, left: float) -> bool:
    """Whether a long page would be worth it here, and come in time."""
    whole = found.failed is None and found.partial is None
    return whole and found.count > _SHORT and took * _LONG / found.count <= left * _SHARE


def _ways(kind: str, extra: Parameters, manners: Collection[Manner]) -> list[tuple[Manner, Parameters]]:
    """The ways to ask, the widest first, each with what it says of a server that takes it. Long pages only where short
    ones have shown that they come in time."""
    count = ("_count", str(_COUNT.get(kind, _SHORT)))
    plain = [parameter for parameter in extra if not parameter[0].startswith("_")]
    ways: list[tuple[Manner, Parameters]] = [("counted", [*extra, count]), ("plain", [*plain, count]), ("bare", plain)]
    if ways[0][1] == ways[1][1]:
        del ways[1]
    known = max((n for n, (manner, _) in enumerate(ways) if manner in manners), default=0)
    # what took our `_count` before does not refuse another search for it
    found = ways[known : known + 1] if "counted" in manners and not extra else ways[known:]
    if known == 0 and kind not in _COUNT and "long" in manners and "short" not in manners:
        found.insert(0, ("long", [*extra, ("_count", str(_LONG))]))
    return found


async def with_medications(client: FhirClient, found: Read, deadline: Deadline) -> Read:
    """Reads the Medications that the requests only refer to, where the server did not include them."""
    here = {f"Medication/{r.get('id')}" for r in found.resources if r.get("resourceType") == "Medication"}
    wanted = dict.fromkeys(ref for r in found.resources if (ref := _outside(r)) is not None and ref not in here)
    answers = await asyncio.gather(
        *(client.read("Medication", ref.partition("/")[2], deadline) for ref in list(wanted)[:_MOST_MEDICATIONS])
    )
    for answer in answers:
        found.resources.extend(answer.resources)
    failed = next((a.failed for a in answers if a.failed is not None), None)
    if found.partial is None and (failed is not None or len(wanted) > _MOST_MEDICATIONS):
        found.partial = f"medication names: {failed or 'page-limit'}"
    return found


def _outside(resource: Resource) -> str | None:
    """The Medication that a request refers to, when nothing in the request itself names the drug."""
    for element in ("medicationReference", "medication"):
        value = resource.get(element)
        if element == "medication" and isinstance(value, Mapping):
            value = value.get("reference")
        reference = value.get("reference") if isinstance(value, Mapping) else None
        if isinstance(value, Mapping) and isinstance(reference, str) and not value.get("display"):
            parts = reference.split("/_history/")[0].split("/")
            if len(parts) >= 2 and parts[-2] == "Medication":
                return f"Medication/{parts[-1]}"
    return None


def is_part(found: Read) -> bool:
    """Whether more than this may be there."""
    return (found.partial or issue_reason(tuple(found.issues))) is not None


async def _with_newest(client: FhirClient, kind: str, base: Parameters, found: Read, deadline: Deadline) -> Read:
    """What came of a search that broke off, with the results that decide, asked for by their codes: the newest of them
    may be among the rest. A server that finds none of them by code says nothing so."""
    if deadline.left <= 0:
        return found
    results = await search_codes(client, kind, base, _decisive(), deadline)
    if results.failed is None:
        found.add(results)
        found.has_newest = results.count > 0 and not is_part(results) and not results.broken
    return found


def _decisive() -> tuple[str, ...]:
    return load_terminology().loinc_for(load_units().asked_by_code)


def not_supported(found: Read) -> bool:
    return found.failed is not None and (found.status in _UNSUPPORTED or "not-supported" in found.issue_codes)


async def _by_category(client: FhirClient, kind: str, base: Parameters, deadline: Deadline) -> Read:
    """One search per category in parallel, and one by code for the decisive analytes. A category that the server
    refuses as unknown is no loss, but the core one is: then the laboratory codes must have been answered."""
    reads = [in_some_way(client, kind, [*base, ("category", c)], [], deadline) for c in _CATEGORIES[kind]]
    by_code = len(reads)
    if kind == "Observation":
        reads.append(search_codes(client, kind, base, _decisive(), deadline))
    answers = await asyncio.gather(*reads)
    merged = _merged(answers)
    failed = [a for a in answers if a.failed is not None]
    if len(failed) == len(answers):
        merged.failed, merged.status, merged.issue_codes = failed[0].failed, failed[0].status, failed[0].issue_codes
        return merged
    lost = [a for a in failed if a.status not in _NOT_SO]
    core = next((a for (c, a) in zip(_CATEGORIES[kind], answers, strict=False) if c == _CORE.get(kind)), None)
    codes_answered = answers[by_code:]
    if (
        core is not None
        and core.failed is not None
        and not (codes_answered and all(a.failed is None for a in codes_answered))
    ):
        lost.append(core)
    if lost:
        merged.partial = merged.partial or lost[0].failed
    merged.has_newest = kind == "Observation" and any(
        one.failed is None and one.count > 0 and not is_part(one) and not one.broken
        for one in (core, *codes_answered)
        if one is not None
    )
    return merged


async def search_codes(
    client: FhirClient, kind: str, base: Parameters, codes: tuple[str, ...], deadline: Deadline
) -> Read:
    """The resources with any of the LOINC codes. What is too long for one GET goes by POST `_search` where the server
    takes that, else by several GETs at once; a server's refusal is remembered."""
    chunks = _chunks(codes)
    if len(chunks) > 1 and client.capability.posts is not False:
        whole = ",".join(chunks)
        found = await client.search_by_post(kind, [*base, ("code", whole), ("_count", str(_SHORT))], deadline)
        if not (found.failed is not None and found.status in _NO_POST):
            return found
        client.refused_post()
    searches = (in_some_way(client, kind, [*base, ("code", chunk)], [], deadline) for chunk in chunks)
    answers = await asyncio.gather(*searches)
    merged = _merged(answers)
    failed = [a for a in answers if a.failed is not None]
    if len(failed) == len(answers) and failed:
        merged.failed, merged.status, merged.issue_codes = failed[0].failed, failed[0].status, failed[0].issue_codes
    elif failed:
        merged.partial = merged.partial or failed[0].failed
    return merged


def _merged(answers: list[Read]) -> Read:
    merged = Read(status=200)
    for answer in answers:
        merged.add(answer)
        merged.partial = merged.partial or answer.partial
    return merged


def _chunks(codes: tuple[str, ...]) -> list[str]:
    chunks: list[list[str]] = [[]]
    for code in codes:
        coded = f"http://loinc.org|{code}"
        if sum(len(c) + 1 for c in chunks[-1]) + len(coded) > _URL_BUDGET:
            chunks.append([])
        chunks[-1].append(coded)
    return [",".join(chunk) for chunk in chunks if chunk]
