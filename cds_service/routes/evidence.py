"""The evidence base: every citation and every card's source resolves here (HTML; JSON by Accept)."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from msgspec.structs import asdict
from starlette.responses import Response

from cds_service.answers import json_response
from cds_service.errors import NotFound
from cds_service.pages import page, wants_json
from cds_service.state import state_of
from hooks.knowledge.awaiting import Acts, awaiting_confirmation
from mappings.drugs import load_drugs

router = APIRouter()

ACTS: Mapping[Acts, str] = {
    "block": "blocks the option",
    "need": "asks for the missing answer first",
    "replace": "lets nothing be added, only described",
    "warn": "warns",
    "cap": "limits the dose",
    "none": "is told, decides nothing",
    "capped": "caps the grade at possible",
    "sends-elsewhere": "leads away from dystrophic calcinosis",
    "warns-of": "is named as something to think of",
    "narrows": "makes rules block, warn or ask for more drugs",
}
"""What an unconfirmed entry does, in words."""


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


@router.get("/evidence/awaiting-confirmation")
async def awaiting(request: Request) -> Response:
    """Every entry of the knowledge that no source confirms yet, and what it may do meanwhile."""
    state = state_of(request)
    knowledge = state.brain.knowledge
    items = awaiting_confirmation(knowledge, load_drugs().classes)
    if wants_json(request):
        body = {"knowledgeVersion": knowledge.version, "items": [asdict(item) for item in items]}
        return json_response(body)
    return page(
        "awaiting.html",
        title="Awaiting confirmation",
        items=items,
        words=ACTS,
        version=knowledge.version,
        base=state.public_url(request),
    )


@router.get("/evidence/{key}")
async def source(request: Request) -> Response:
    state = state_of(request)
    found = state.brain.knowledge.evidence.get(request.path_params["key"])
    if found is None:
        raise NotFound("no such source", "key")
    if wants_json(request):
        return json_response(found.model_dump(mode="json", exclude_none=True))
    return page("evidence.html", title=found.citation, source=found, base=state.public_url(request))
