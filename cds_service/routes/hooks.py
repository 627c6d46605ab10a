"""Discovery, the hooks, and the whole assessment."""

from __future__ import annotations

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
    hook = _parsed(await request.body(), service.hook)
    facts, assessment = await _assessed(hook, state)
    if assessment.unreadable:
        reasons = ", ".join(f"{need} ({facts.need(need).reason or 'unavailable'})" for need in assessment.unreadable)
        raise Precondition(f"could be had neither from prefetch nor from the FHIR server: {reasons}", "prefetch")
    context = CardContext(state.public_url(request), service_id, new_uuid, hook.user_kind)
    return json_response({"cards": state.brain.cards(facts, assessment, context)})


@router.post("/assessments")
async def assessment(request: Request) -> Response:
    """The whole assessment, also when no card would be shown: why silent, what is missing."""
    hook = _parsed(await request.body(), None)
    _, found = await _assessed(hook, state_of(request))
    return json_response(to_json(found))


def _parsed(body: bytes, hook: str | None) -> HookRequest:
    value: Any = decode_request(body)
    try:
        return parse_request(value, expected_hook=hook, known_hooks=HOOKS)
    except RequestError as error:
        raise BadRequest(error.message, error.element) from None


async def _assessed(hook: HookRequest, state: AppState) -> tuple[PatientFacts, Assessment]:
    deadline = Deadline.after(state.settings.deadline_ms)
    chart = await gather(hook, client=state.fhir_client(hook), deadline=deadline)
    facts, found = state.brain.understand(chart)
    state.metrics.assessed(found.grade, found.card)
    for need, completeness in facts.completeness.items():
        if completeness.state != "complete":
            state.metrics.incomplete(need, completeness.state)
    return facts, found
