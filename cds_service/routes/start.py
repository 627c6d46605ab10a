"""The start page (sandbox only) and the topics that our cards name."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from cds_service.errors import NotFound
from cds_service.pages import page
from cds_service.state import state_of

router = APIRouter()


@router.get("/", include_in_schema=False)
async def start(request: Request) -> Response:
    state = state_of(request)
    if not state.settings.sandbox:
        raise NotFound("no such address")
    return page(
        "start.html",
        title="Calcinosis decision support",
        sandbox_url=state.settings.sandbox_url,
        base=state.public_url(request),
    )
