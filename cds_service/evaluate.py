"""`cds-service evaluate`: one patient from a FHIR server or a Bundle file, through the same brain as the hooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from cds_service.clinical_notes import with_notes
from cds_service.errors import ServiceError
from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.outbound import Policy, Refused, open_client
from cds_service.gather import gather
from cds_service.pipeline import Brain, new_uuid
from cds_service.reasons import reason_code
from hooks.cards import CardContext
from hooks.model import Assessment
from hooks.wire import HookRequest
from mappings.bundles import NotJsonError, decode, unpack, with_resolved_urns
from mappings.facts import NEEDS, Completeness, Quarantined
from mappings.raw import RawChart

_SERVICE = "calcinosis-patient-view"
_PUBLIC = "https://localhost"


class EvaluationError(ServiceError):
    """What the user of the command line can mend; one line."""

    status = 400


class Evaluated(Struct, frozen=True):
    """`unread`: one line on why the question itself could not be read, where a hook would answer 412."""

    assessment: Assessment
    cards: list[dict[str, Any]]
    unread: str | None = None


def evaluate_chart(chart: RawChart, brain: Brain, as_of: date | None, public_url: str | None) -> Evaluated:
    facts, assessment = brain.understand(chart, as_of)
    context = CardContext(public_url or _PUBLIC, _SERVICE, new_uuid)
    cards = brain.cards("patient-view", facts, assessment, context)
    reasons = ", ".join(f"{need} ({reason_code(facts.need(need).reason)})" for need in assessment.unreadable)
    return Evaluated(assessment, cards, f"could not be read: {reasons}" if reasons else None)


async def chart_from_server(
    base: str, patient_id: str, token: str | None, milliseconds: int, noting: Callable[[RawChart], bool] | None = None
) -> RawChart:
    """Reads one patient. The user named the server, so any host may be read, private ones included. `noting`: whether
    clinical notes are to be read too, seeing the rest of the chart."""
    policy = Policy(allow_private=True, open_loopback=True, any_host=True)
    try:
        policy.base_of(base)
    except Refused:
        raise EvaluationError("--fhir-server: not a usable URL", "fhirServer") from None
    if urlsplit(base).scheme == "http" and token:
        raise EvaluationError("--token is sent over https only", "fhirServer")
    request = HookRequest("patient-view", "cli", patient_id, None, None, {}, fhir_server=base.rstrip("/"))
    async with open_client(policy) as http:
        client = FhirClient(http, policy, base.rstrip("/"), token)
        deadline = Deadline.after(milliseconds)
        chart = await gather(request, client=client, deadline=deadline)
        return await with_notes(chart, None, client, deadline) if noting is not None and noting(chart) else chart


def chart_from_file(path: Path, patient_id: str | None) -> RawChart:
    """A Bundle (or one Bundle or resource a line); the patient is its only Patient unless named."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise EvaluationError(f"--bundle: {error.strerror or 'unreadable'}", "bundle") from None
    values = _values(body)
    resources: list[Mapping[str, Any]] = []
    broken: list[Quarantined] = []
    for index, value in enumerate(values):
        unpacked = unpack(value)
        resources.extend(with_resolved_urns(unpacked))
        broken.extend(Quarantined(f"bundle[{index}].{path_}", "not a FHIR resource") for path_ in unpacked.broken)
    patients = sorted({str(r.get("id")) for r in resources if r.get("resourceType") == "Patient" and r.get("id")})
    if patient_id is None and len(patients) != 1:
        found = "no Patient" if not patients else f"{len(patients)} Patients"
        raise EvaluationError(f"--bundle holds {found}: name one with --patient", "patient")
    complete = {need: Completeness("complete") for need in NEEDS}
    return RawChart(patient_id or patients[0], tuple(resources), complete, tuple(broken))


def _values(body: bytes) -> list[Any]:
    try:
        return [decode(body)]
    except NotJsonError:
        lines = [line for line in body.splitlines() if line.strip()]
    try:
        return [decode(line) for line in lines] if len(lines) > 1 else _fail()
    except NotJsonError:
        return _fail()


def _fail() -> list[Any]:
    raise EvaluationError("--bundle: not JSON", "bundle")
