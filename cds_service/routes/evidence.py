"""The evidence base: every citation and every card's source resolves here (HTML; JSON by Accept)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from cds_service.answers import json_response
from cds_service.errors import NotFound
from cds_service.pages import page, wants_json
from cds_service.state import state_of

router = APIRouter()


@router.get("/evidence")
async def sources(request: Request) -> Response:
    state = state_of(request)
    found = list(state.brain.knowledge.evidence.sources.values())
    if wants_json(request):
        return json_response({"sources": [s.model_dump(mode="json", exclude_none=True) for s in found]})
    version = state.brain.knowledge.version
    return page(
        "evidence_list.html", title="Evidence base", sources=found, version=version, base=state.public_url(request)
    )


@router.get("/evidence/{key}")
async def source(key: str, request: Request) -> Response:
    state = state_of(request)
    found = state.brain.knowledge.evidence.get(key)
    if found is None:
        raise NotFound("no such source", "key")
    if wants_json(request):
        return json_response(found.model_dump(mode="json", exclude_none=True))
    return page("evidence.html", title=found.citation, source=found, base=state.public_url(request))
