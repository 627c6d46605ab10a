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
    items = parse_feedback(decode_request(await request.body()))
    state = state_of(request)
    for item in items:
        state.metrics.feedback(service_id, item.outcome)
    return json_response({})
