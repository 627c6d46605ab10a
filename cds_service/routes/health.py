"""Liveness, readiness, metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from cds_service import __version__
from cds_service.answers import json_response
from cds_service.state import state_of

router = APIRouter()


@router.get("/healthz")
async def healthz() -> Response:
    return json_response({"status": "ok"})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Ready once knowledge and code lists are loaded (they are, or the application would not have started).

    A store that does not answer makes it "degraded" and 503, so that a balancer prefers another replica; calls that
    come all the same are answered without it."""
    state = state_of(request)
    ready = await state.async_store.ready()
    body = {"status": "ready" if ready else "degraded", "version": __version__}
    return json_response(body | {"knowledge": state.brain.knowledge.version}, 200 if ready else 503)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    return Response(state_of(request).metrics.text(), media_type=CONTENT_TYPE_LATEST)
