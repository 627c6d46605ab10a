"""CDS Hooks feedback: accepted and overridden cards."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from cds_service.answers import json_response
from cds_service.errors import NotFound
from cds_service.feedback import parse_feedback
from cds_service.limits import decode_request
from cds_service.state import state_of
from hooks.services import SERVICES

router = APIRouter()


@router.post("/cds-services/{service_id}/feedback")
async def feedback(service_id: str, request: Request) -> Response:
    """Each item is kept once; an unknown card is no error (it may be older than this process)."""
    if service_id not in SERVICES:
        raise NotFound("no such service", "service id")
    state = state_of(request)
    body = await request.body()
    caller = await state.caller(request, body)
    if caller is not None and state.authenticator.seen.claim(caller) is not None:
        return json_response({})
    items = parse_feedback(decode_request(body))
    for item in items:
        state.metrics.feedback(service_id, item.outcome)
    if caller is not None:
        state.authenticator.seen.store(caller, b"{}")
    return json_response({})
