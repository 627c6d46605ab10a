"""Source attributes of a service: for people by default, as JSON by Accept."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from cds_service.answers import json_response
from cds_service.errors import NotFound
from cds_service.pages import page, wants_html
from cds_service.source_attributes import source_attributes
from cds_service.state import state_of
from hooks.services import SERVICES

router = APIRouter()


@router.get("/cds-services/{service_id}/source-attributes")
async def attributes(request: Request) -> Response:
    """The 13 attributes; JSON unless the client asks for HTML."""
    service_id = request.path_params["service_id"]
    if service_id not in SERVICES:
        raise NotFound("no such service", "service id")
    state = state_of(request)
    base = state.public_url(request)
    document = source_attributes(service_id, state.brain.knowledge, base)
    if not wants_html(request):
        return json_response(document)
    return page("source_attributes.html", title="Source attributes", document=document, base=base)
