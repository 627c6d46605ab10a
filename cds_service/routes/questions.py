"""Typed questions: answered from the question-and-evidence base with citations, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from cds_service.answers import json_response
from cds_service.calls import admitted
from cds_service.errors import BadRequest

if TYPE_CHECKING:
    from hooks.answers import Reply

router = APIRouter()
_LONGEST = 2000


@router.post("/questions")
async def question(request: Request) -> Response:
    """`{"question", "language", "assessment"}` → `{"abstained", "answer", "patient", "related"}`; an abstained answer
    has no sentences, says why in `because`, and names in `related` what is near and can be answered."""
    async with admitted(request) as call:
        if call.stored is not None:
            return call.stored
        body = await call.decoded()
        reply = call.state.brain.answers.ask(_question(body), language=_language(body), assessment=_assessment(body))
        return call.answer(json_response(_shown(reply)))


def _question(body: Mapping[str, Any]) -> str:
    text = body.get("question")
    if not isinstance(text, str) or not text.strip():
        raise BadRequest("must be a text that is not empty", "question")
    if len(text) > _LONGEST:
        raise BadRequest(f"longer than {_LONGEST} characters", "question")
    return text


def _language(body: Mapping[str, Any]) -> str | None:
    language = body.get("language")
    if language is None:
        return None
    if not isinstance(language, str) or len(language) > 35:
        raise BadRequest("must be a language tag", "language")
    return language


def _assessment(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    assessment = body.get("assessment")
    if assessment is not None and not isinstance(assessment, Mapping):
        raise BadRequest("must be an object", "assessment")
    return assessment


def _shown(reply: Reply) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "abstained": reply.abstained,
        "answer": [{"text": s.text, "citations": list(s.citations)} for s in reply.answer],
        "patient": [{"text": f.text, "evidence": list(f.evidence)} for f in reply.patient],
        "related": list(reply.related),
    }
    return shown | {key: text for key, text in (("because", reply.because), ("note", reply.note)) if text}
