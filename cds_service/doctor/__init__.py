"""`cds-service doctor`: what of a tenant's FHIR server and keys works, seen with a test patient. No chart content."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx

from cds_service.errors import ServiceError
from cds_service.fhir.client import Deadline, FhirClient, Read, get_bytes
from cds_service.fhir.notes import OLDER, Notes, attachments_of, read_notes
from cds_service.fhir.outbound import OutboundClient, Policy, Refused, open_client
from cds_service.fhir.search import read_need
from cds_service.fhir.statements import STATEMENT, Statements, read_statements
from cds_service.keys import check_keys, fetch_keys
from cds_service.settings import Settings
from cds_service.tenants import Tenant, load_tenants
from mappings.facts import NEEDS, Need
from mappings.reader.attachment import words_of
from mappings.reader.identity import ONLY_STRANGERS, OTHER_PATIENT, belongs

_MAX_BYTES = 1_000_000
_MOST_SKEW = 60.0
"""seconds between their clock and ours that tokens still allow for."""


class DoctorError(ServiceError):
    """What the user of the command line can mend; one line."""

    status = 400


@dataclass(frozen=True, slots=True)
class Searched:
    """What one data need gave: a number, whether pages followed, and why something is missing."""

    need: Need
    resources: int
    problem: str | None
    status: int | None


@dataclass(slots=True)
class Findings:
    """Everything that is printed."""

    tenant: str
    server: str
    searches: list[Searched] = field(default_factory=list)
    units: Counter[str] = field(default_factory=Counter)
    ranges: Counter[str] = field(default_factory=Counter)
    systems: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        return not self.problems and not any(s.problem for s in self.searches)


async def examine(
    settings: Settings, file: Path | None, tenant_id: str, patient: str, token: str | None, timeout_ms: int
) -> Findings:
    """Runs every needed search, and asks for metadata, keys and discovery. DoctorError when there is no such tenant."""
    tenant = _tenant(file or settings.tenants_file, tenant_id)
    if not tenant.fhir_servers:
        raise DoctorError("the tenant has no fhirServers", "fhirServers")
    context = ssl.create_default_context(cafile=str(tenant.ca_file)) if tenant.ca_file else None
    found = Findings(tenant.id, tenant.fhir_servers[0])
    deadline = Deadline.after(timeout_ms)
    async with open_client(tenant.policy, context) as http:
        client = FhirClient(http, tenant.policy, found.server, token, tenant.fhir_version)
        await asyncio.gather(
            _searched(client, patient, deadline, found, notes=tenant.clinical_notes),
            _metadata(http, tenant, found, deadline),
            _keys(tenant, found),
        )
    await _discovery(tenant, found)
    return found


def _tenant(path: Path | None, tenant_id: str) -> Tenant:
    if path is None:
        raise DoctorError("--tenants-file or CDS_TENANTS_FILE is required", "tenants-file")
    tenants = load_tenants(path, check=check_keys)
    tenant = tenants.by_id(tenant_id)
    if tenant is None:
        named = next((p for p in tenants.problems if f"({tenant_id})" in p), "is not in the tenants file")
        raise DoctorError(f"tenant {tenant_id}: {named}", "tenant")
    return tenant


async def _searched(client: FhirClient, patient: str, deadline: Deadline, found: Findings, *, notes: bool) -> None:
    statements, answers = await asyncio.gather(
        read_statements(client, patient, deadline),
        asyncio.gather(*(read_need(client, need, patient, deadline) for need in NEEDS)),
    )
    merged = {str(r.get("id")) for answer in answers if answer.redirected for r in answer.resources if _is_patient(r)}
    patients = frozenset({patient, *merged})
    for need, answer in zip(NEEDS, answers, strict=True):
        strangers = sum(_is_strange(resource, patients) for resource in answer.resources)
        found.searches.append(_told(need, answer, strangers))
        if strangers:
            found.notes.append(f"{need}: {strangers} resource(s) of another patient are left out")
        for resource in answer.resources:
            _counted(resource, found)
        for issue in answer.issues:
            found.notes.append(f"{need}: the server warns ({issue.get('code')})")
    if notes:
        _noted(await read_notes(client, patients, patient, deadline, texts=True), found)
    found.notes.extend(_listed(statements))
    for resource in statements.read.resources:
        _counted(resource, found)


def _noted(notes: Notes, found: Findings) -> None:
    """How many clinical notes there are, and of how many the text can be read (`clinicalNotes`)."""
    readable = sum(any(words_of(one) for _, one in attachments_of(note)) for note in notes.documents)
    found.notes.append(f"clinical notes: {len(notes.documents)} of the newest, {readable} with a text that can be read")
    found.notes.extend(one.reason for one in notes.left_out if one.reason == OLDER)
    found.problems.extend(one.reason for one in notes.left_out if one.reason != OLDER)


def _listed(statements: Statements) -> Iterable[str]:
    """What MedicationStatement brings beside MedicationRequest."""
    if statements.problem is not None:
        yield f"medications: {statements.problem}"
    if not statements.answered:
        yield f"medications: the server gives no {STATEMENT}, which is no loss where it gives the drugs otherwise"
        return
    count = sum(resource.get("resourceType") == STATEMENT for resource in statements.read.resources)
    yield f"medications: {count} {STATEMENT} resource(s) beside these"
    if count:
        yield f"medications: a prefetch by our templates does not hold {STATEMENT}: see medicationStatements"


def _told(need: Need, answer: Read, strangers: int) -> Searched:
    only = ONLY_STRANGERS if strangers and strangers == len(answer.resources) else None
    return Searched(need, len(answer.resources), answer.failed or answer.partial or only, answer.status)


def _is_patient(resource: Mapping[str, Any]) -> bool:
    return resource.get("resourceType") == "Patient"


def _is_strange(resource: Mapping[str, Any], patients: frozenset[str]) -> bool:
    """Whether it names somebody else, so that no hook reads it."""
    if _is_patient(resource):
        return resource.get("id") not in (None, *patients)
    return belongs(resource, patients) == OTHER_PATIENT


def _counted(resource: Mapping[str, Any], found: Findings) -> None:
    """Units, ranges and code systems: no value, no text, no id."""
    kind = str(resource.get("resourceType"))
    quantity = resource.get("valueQuantity")
    if kind == "Observation" and isinstance(quantity, Mapping):
        named = quantity.get("code") or quantity.get("unit") or "(no unit)"
        found.units[str(named)[:30]] += 1
        found.ranges["with reference range" if resource.get("referenceRange") else "without reference range"] += 1
    for element in ("code", "medicationCodeableConcept"):
        for coding in _codings(resource.get(element)):
            found.systems[f"{kind}: {str(coding.get('system') or '(no system)')[:80]}"] += 1


def _codings(concept: Any) -> Iterable[Mapping[str, Any]]:
    codings = concept.get("coding") if isinstance(concept, Mapping) else None
    return [c for c in codings if isinstance(c, Mapping)] if isinstance(codings, list) else []


async def _metadata(http: OutboundClient, tenant: Tenant, found: Findings, deadline: Deadline) -> None:
    """Whether the server tells what it is, and how far its clock is from ours."""
    url = f"{found.server}/metadata"
    try:
        tenant.policy.base_of(url)
        async with asyncio.timeout(max(deadline.left, 0.01)), http.stream("GET", url) as response:
            status, date = response.status_code, response.headers.get("date")
    except (Refused, TimeoutError, httpx.HTTPError, OSError, ValueError) as error:
        found.problems.append(f"metadata: {str(error) if isinstance(error, Refused) else type(error).__name__}")
        return
    if status != 200:
        found.problems.append(f"metadata: status {status}")
    if date is None:
        found.notes.append("clock: the server names no date")
        return
    try:
        skew = parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, TypeError):
        found.notes.append("clock: the server's date is unreadable")
        return
    (found.problems if abs(skew) > _MOST_SKEW else found.notes).append(f"clock: {skew:+.0f} s from ours")


async def _keys(tenant: Tenant, found: Findings) -> None:
    if tenant.jku is None:
        found.notes.append("keys: static, usable")  # the tenant would be disabled otherwise
        return
    keys = await fetch_keys(tenant)
    if keys:
        found.notes.append(f"keys: {len(keys)} at the jku")
    else:
        found.problems.append("keys: the jku gives no usable key")


async def _discovery(tenant: Tenant, found: Findings) -> None:
    """Whether our own public address answers, as seen from this machine."""
    url = f"{tenant.audience}/cds-services"
    policy = Policy((tenant.audience,), allow_private=True)
    async with open_client(policy) as http:
        status, _ = await get_bytes(http, policy, url, Deadline.after(3000), _MAX_BYTES)
    found.notes.append("discovery: answers" if status == 200 else f"discovery: not reached from here (status {status})")
