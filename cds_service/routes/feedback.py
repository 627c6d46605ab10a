"""CDS Hooks feedback: accepted and overridden cards."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from cds_service.answers import json_response
from cds_service.calls import admitted
from cds_service.errors import NotFound
from cds_service.feedback import parse_feedback
from hooks.services import SERVICES

router = APIRouter()


@router.post("/cds-services/{service_id}/feedback")
async def feedback(request: Request) -> Response:
    """200 once every item is committed, each kept once; an unknown card is no error (it may be older than we)."""
    service_id = request.path_params["service_id"]
    if service_id not in SERVICES:
        raise NotFound("no such service", "service id")
    async with admitted(request) as call:
        if call.stored is not None:
            return call.stored
        items = parse_feedback(await call.decoded())
        tenant = call.tenant_id
        await call.state.async_store.add_feedback(tenant, service_id, items)
        for item in items:
            call.state.metrics.feedback(service_id, item.outcome)
        return call.answer(json_response({}))
