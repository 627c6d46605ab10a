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

    A store that does not answer or can't be written makes it "degraded" and 503, with the reason, so that a balancer
    prefers another replica; calls that come all the same are answered without it."""
    state = state_of(request)
    trouble = await state.async_store.trouble()
    body = {"status": "degraded" if trouble else "ready", "version": __version__}
    body |= {"knowledge": state.brain.knowledge.version} | ({"reason": trouble} if trouble else {})
    return json_response(body, 503 if trouble else 200)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    return Response(state_of(request).metrics.text(), media_type=CONTENT_TYPE_LATEST)
