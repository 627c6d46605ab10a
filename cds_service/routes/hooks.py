"""Discovery, the hooks, and the whole assessment."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from cds_service.answers import json_response
from cds_service.errors import BadRequest, NotFound, Precondition
from cds_service.fhir.client import Deadline
from cds_service.gather import gather
from cds_service.limits import decode_request
from cds_service.pipeline import new_uuid
from cds_service.state import AppState, state_of
from cds_service.tenants import Tenant
from hooks.cards import CardContext
from hooks.model import Assessment, to_json
from hooks.services import HOOKS, SERVICES, discovery
from hooks.wire import HookRequest, RequestError, parse_request
from mappings.facts import PatientFacts

router = APIRouter()


@router.get("/cds-services")
async def services() -> Response:
    return json_response(discovery())


@router.post("/cds-services/{service_id}")
async def call(service_id: str, request: Request) -> Response:
    """One hook call: `{"cards": [...]}`, or 412 when the question itself could not be read."""
    service = SERVICES.get(service_id)
    if service is None:
        raise NotFound("no such service", "service id")
    state = state_of(request)
    body = await request.body()
    caller = await state.caller(request, body)
    stored = state.authenticator.seen.claim(caller) if caller else None
    if stored is not None:
        return Response(stored, media_type="application/json")
    hook = _parsed(body, service.hook)
    tenant = caller.tenant if caller else None
    response = json_response({"cards": await _cards(hook, service_id, state, tenant, state.public_url(request))})
    if caller:
        state.authenticator.seen.store(caller, bytes(response.body))
    return response


async def _cards(
    hook: HookRequest, service_id: str, state: AppState, tenant: Tenant | None, public_url: str
) -> list[dict[str, Any]]:
    """The cards for this tenant; none when it is switched off, silent, or the patient is not in its rollout."""
    if tenant is not None and tenant.mode == "off":
        return []
    facts, assessment = await _assessed(hook, state, tenant)
    if assessment.unreadable:
        if tenant is not None and tenant.fail_silent:
            return []
        reasons = ", ".join(f"{need} ({facts.need(need).reason or 'unavailable'})" for need in assessment.unreadable)
        raise Precondition(f"could be had neither from prefetch nor from the FHIR server: {reasons}", "prefetch")
    if tenant is not None and (tenant.mode == "silent" or not in_rollout(hook.patient_id, tenant)):
        return []
    context = CardContext(
        public_url,
        service_id,
        new_uuid,
        user_kind=hook.user_kind,
        dialect=tenant.dialect if tenant else "generic-2.0",
        orderables=tenant.codings if tenant else {},
        units=tenant.units if tenant else "conventional",
        encounter_id=hook.encounter_id,
    )
    return state.brain.cards(hook.hook, facts, assessment, context)


def in_rollout(patient_id: str, tenant: Tenant) -> bool:
    """A stable share of the patients: the same patient is always in or always out."""
    digest = hashlib.sha256(f"{tenant.id}\0{patient_id}".encode()).digest()
    return int.from_bytes(digest[:4]) % 100 < tenant.rollout


@router.post("/assessments")
async def assessment(request: Request) -> Response:
    """The whole assessment, also when no card would be shown: why silent, what is missing."""
    state = state_of(request)
    body = await request.body()
    caller = await state.caller(request, body)
    stored = state.authenticator.seen.claim(caller) if caller else None
    if stored is not None:
        return Response(stored, media_type="application/json")
    _, found = await _assessed(_parsed(body, None), state, caller.tenant if caller else None)
    response = json_response(to_json(found))
    if caller:
        state.authenticator.seen.store(caller, bytes(response.body))
    return response


def _parsed(body: bytes, hook: str | None) -> HookRequest:
    value: Any = decode_request(body)
    try:
        return parse_request(value, expected_hook=hook, known_hooks=HOOKS)
    except RequestError as error:
        raise BadRequest(error.message, error.element) from None


async def _assessed(hook: HookRequest, state: AppState, tenant: Tenant | None) -> tuple[PatientFacts, Assessment]:
    deadline = Deadline.after(state.settings.deadline_ms)
    chart = await gather(hook, client=state.fhir_client(hook, tenant), deadline=deadline)
    facts, found = state.brain.understand(chart)
    state.metrics.assessed(found.grade, found.card)
    for need, completeness in facts.completeness.items():
        if completeness.state != "complete":
            state.metrics.incomplete(need, completeness.state)
    return facts, found
