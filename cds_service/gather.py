"""Gathers one patient's chart: prefetch first, then what is missing from FHIR, in parallel, inside one deadline."""

from __future__ import annotations

import asyncio

from cds_service.fhir.client import Deadline, FhirClient, Read
from cds_service.fhir.search import read_need
from cds_service.prefetch import Prefetched, completeness_of, issue_reason, read_prefetch
from hooks.services import PREFETCH
from hooks.wire import HookRequest
from mappings.facts import NEEDS, Completeness, Need
from mappings.raw import RawChart, Resource

_TYPES: dict[Need, str] = {
    "patient": "Patient",
    "conditions": "Condition",
    "observations": "Observation",
    "diagnosticReports": "DiagnosticReport",
    "medications": "MedicationRequest",
    "allergies": "AllergyIntolerance",
    "procedures": "Procedure",
    "serviceRequests": "ServiceRequest",
}


async def gather(request: HookRequest, *, client: FhirClient | None, deadline: Deadline) -> RawChart:
    """The chart as far as it could be read. Without a client only the prefetch is used; nothing raises."""
    found = read_prefetch(request.prefetch)
    states = completeness_of(found)
    resources: list[Resource] = list(found.resources)
    if client is not None:
        await _from_server(request, client, found, states, resources, deadline)
    for need in NEEDS:
        if need not in states:
            states[need] = Completeness("unavailable", "not in prefetch and no FHIR access")
        elif client is None:
            states[need] = _without_client(need, states[need], found)
    return RawChart(request.patient_id, tuple(resources), states, tuple(found.quarantined), request.drafts)


def _without_client(need: Need, state: Completeness, found: Prefetched) -> Completeness:
    """What the prefetch left open stays open: keys that did not come, pages that can't be followed."""
    reasons = [state.reason] if state.reason else []
    missing = found.missing.get(need, ())
    known = [key for key, (of, _) in PREFETCH.items() if of == need]
    if missing and len(missing) < len(known):
        reasons.append(f"not in prefetch: {', '.join(missing)}")
    if found.next_urls.get(need):
        reasons.append("page not followed")
    if not reasons or state.state == "unavailable":
        return state
    return Completeness("partial", "; ".join(reasons))


async def _from_server(
    request: HookRequest,
    client: FhirClient,
    found: Prefetched,
    states: dict[Need, Completeness],
    resources: list[Resource],
    deadline: Deadline,
) -> None:
    refused = _token_problem(request)
    wanted = [need for need in NEEDS if need in found.missing]
    allowed = [need for need in wanted if refused is None and _in_scope(request, need)]
    reads = await asyncio.gather(*(read_need(client, need, request.patient_id, deadline) for need in allowed))
    for need, read in zip(allowed, reads, strict=True):
        resources.extend(read.resources)
        states[need] = _state(read, states.get(need))
    for need in set(wanted) - set(allowed):
        if need not in states:
            states[need] = Completeness("unavailable", refused or "scope")
    for need, urls in found.next_urls.items():
        pages = await asyncio.gather(*(client.follow(url, deadline) for url in urls))
        for page in pages:
            resources.extend(page.resources)
            reason = page.failed or page.partial
            if reason:
                states[need] = Completeness("partial", f"page: {reason}")


def _state(read: Read, before: Completeness | None) -> Completeness:
    if read.failed is not None:
        if before is not None and before.state != "unavailable":
            return Completeness("partial", read.failed)
        return Completeness("unavailable", read.failed)
    reason = read.partial or issue_reason(tuple(read.issues))
    return Completeness("partial", reason) if reason else Completeness("complete")


def _token_problem(request: HookRequest) -> str | None:
    token = request.authorization
    if token is not None and token.patient is not None and token.patient != request.patient_id:
        return "token is for another patient"
    return None


def _in_scope(request: HookRequest, need: Need) -> bool:
    """Whether the token's scopes (SMART v1 or v2) let us read this type. Unknown scope words are no refusal."""
    if request.authorization is None:
        return True
    kinds = {_TYPES[need], "*"}
    clinical = False
    for scope in request.authorization.scope.split():
        level, slash, rest = scope.partition("/")
        if not slash or level not in ("patient", "user", "system"):
            continue
        clinical = True
        kind, _, access = rest.split("?")[0].partition(".")
        if kind in kinds and (
            access in ("read", "*") or ("r" in access and "s" in access) or (need == "patient" and "r" in access)
        ):
            return True
    return not clinical
