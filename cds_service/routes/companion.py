"""The companion's pages: launch, callback, the page of a session, and what its script asks for."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Mapping
from importlib import resources
from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from cds_service.async_store import now_ms
from cds_service.audit.events import Event
from cds_service.companion import launching, saving, timeline
from cds_service.companion.client import public_keys
from cds_service.companion.sessions import Session, browser_of
from cds_service.companion.smart import LaunchError, relaunch_url, same_server
from cds_service.companion.style import css
from cds_service.companion.view import PageView, banner
from cds_service.errors import BadRequest, NotFound, ServiceError
from cds_service.fhir.client import Deadline
from cds_service.limits import decode_request
from cds_service.pages import rendered
from cds_service.state import AppState, state_of
from hooks.dialogue import AnswerError, moved
from hooks.model import to_json

router = APIRouter(prefix="/companion", include_in_schema=False)
_COOKIE = "companion"
_ASSETS = {
    "companion.css": "text/css; charset=utf-8",
    "companion.js": "text/javascript; charset=utf-8",
    "favicon.svg": "image/svg+xml",
}
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_LONGEST = 2000
_MILLISECONDS = 8000


class Ended(ServiceError):
    status, code = 410, "expired"


@router.get("/assets/{name}")
async def asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _ASSETS:
        raise NotFound("no such address")
    body = (resources.files("cds_service.companion") / "static" / name).read_bytes()
    return Response(body, media_type=_ASSETS[name])


@router.get("")
async def start(request: Request) -> Response:
    """A conversation without a patient, in the sandbox only."""
    state = state_of(request)
    if not state.settings.sandbox:
        raise NotFound("no such address")
    secret = _secret(request) or secrets.token_urlsafe(32)
    session = await state.sessions.open(launching.without_patient(state, browser_of(secret)))
    return _to_page(request, session, secret)


@router.get("/launch")
async def launch(request: Request) -> Response:
    """SMART EHR launch (`iss`, `launch`) or standalone launch (`iss`)."""
    state, base = state_of(request), state_of(request).public_url(request)
    iss, token = request.query_params.get("iss", "").rstrip("/"), request.query_params.get("launch")
    if not iss:
        return _problem(request, "Open the companion from a card in the record system.", 400)
    secret = _secret(request) or secrets.token_urlsafe(32)
    try:
        target = await launching.begin(state, base, iss, token, secret)
    except LaunchError as error:
        return _problem(request, error.text, error.status)
    return _with_cookie(RedirectResponse(target, 302), request, secret)


@router.get("/callback")
async def callback(request: Request) -> Response:
    state = state_of(request)
    pending = await state.sessions.returned(request.query_params.get("state", ""))
    secret = _secret(request)
    if pending is None:
        return _problem(request, "This launch is not known, or it was used already. Open the card's link again.", 400)
    if secret is None or browser_of(secret) != pending.browser:
        again = relaunch_url(state.public_url(request), pending.iss, pending.launch)
        text = "This browser keeps no cookie for a page inside another one."
        return _problem(request, text, 400, again=again)
    if not same_server(request.query_params.get("iss"), pending.issuer, pending.token_endpoint):
        return _problem(request, "The answer came from another authorization server than the one that was asked.", 400)
    code = request.query_params.get("code")
    if request.query_params.get("error") or not code:
        return _problem(request, "The record system did not allow the launch.", 403)
    try:
        session = await state.sessions.open(await launching.finish(state, pending, code))
    except LaunchError as error:
        return _problem(request, error.text, error.status)
    _note(state, session, "read", "launched")
    return _to_page(request, session, secret)


@router.get("/jwks.json")
async def keys(request: Request) -> Response:
    """The public keys of the companion, for authorization servers that fetch them (private_key_jwt)."""
    return JSONResponse({"keys": public_keys(state_of(request).tenants.companions)})


@router.get("/s/{session_id}")
async def page(request: Request) -> Response:
    state = state_of(request)
    session = await _find(state, request)
    if session is None:
        return _problem(request, "This session has ended. Open the card's link again.", 410)
    values = await asyncio.to_thread(_live, session, state, state.public_url(request), ())
    shown = banner(session.chart) if session.banner else None
    rows = timeline.rows(session.dialogue.facts)
    body = rendered(
        "companion/page.html",
        **values,
        banner=shown,
        rows=rows,
        names=timeline.NAMES,
        key=session.page_key,
        style=session.style,
    )
    return Response(body, media_type="text/html; charset=utf-8", headers=_policy(state, session.tenant))


@router.get("/s/{session_id}/alive")
async def alive(request: Request) -> Response:
    """204 while the session is this browser's; 410 once it ended or another patient was opened."""
    if await state_of(request).sessions.find(_named(request), _browser(request), touch=False) is None:
        raise Ended("the session has ended")
    return Response(status_code=204)


@router.get("/s/{session_id}/style.css")
async def style(request: Request) -> Response:
    session = await _required(request)
    return Response(css(session.style), media_type="text/css; charset=utf-8")


@router.get("/s/{session_id}/timeline-{scheme}.svg")
async def picture(request: Request) -> Response:
    session = await _required(request)
    rows = timeline.rows(session.dialogue.facts)
    day = session.dialogue.as_of
    drawn = await asyncio.to_thread(
        timeline.plot, rows, "dark" if request.path_params["scheme"] == "dark" else "light", day
    )
    if drawn is None:
        raise NotFound("no plot")
    return Response(
        drawn,
        media_type="image/svg+xml",
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )


@router.post("/s/{session_id}/answers")
async def answers(request: Request) -> Response:
    """`{"question", "answers"}`: one answer (an empty list takes it back); what changed comes back as HTML."""
    session, body = await _posted(request)
    question, values = body.get("question"), body.get("answers")
    if not isinstance(question, str) or len(question) > 64:
        raise BadRequest("must be a question's id", "question")
    if not isinstance(values, list) or not all(isinstance(v, str) and len(v) <= 64 for v in values) or len(values) > 40:
        raise BadRequest("must be a list of answers", "answers")
    given = {key: kept for key, kept in session.given.items() if key != question}
    if values:
        given[question] = tuple(values)
    try:
        before = await asyncio.to_thread(session.dialogue.at, session.given, ask=False)
        after = await asyncio.to_thread(session.dialogue.at, given, ask=False)
    except AnswerError as error:
        raise BadRequest(error.message, "answers") from None
    session.given = given
    state = state_of(request)
    await state.sessions.changed(session)
    moves = moved(before.assessment, after.assessment)
    return await _fragments(session, state, state.public_url(request), moves)


@router.post("/s/{session_id}/questions")
async def questions(request: Request) -> Response:
    """A typed question, answered as POST /questions answers it, with this patient's assessment."""
    session, body = await _posted(request)
    text = body.get("question")
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
        raise BadRequest(f"must be a text of at most {_LONGEST} characters", "question")
    state = state_of(request)
    step = await asyncio.to_thread(session.dialogue.at, session.given, ask=False)
    reply = state.brain.answers.ask(text, assessment=to_json(step.assessment), child=session.dialogue.of_a_child)
    html = rendered("companion/reply.html", asked=text, reply=reply, base=state.public_url(request))
    return JSONResponse({"reply": html})


@router.post("/s/{session_id}/save")
async def save(request: Request) -> Response:
    """`{"consent": true}`: the findings become Observations; nothing is written without consent and scope."""
    session, body = await _posted(request)
    if body.get("consent") is not True:
        raise BadRequest("must be true: nothing is saved without consent", "consent")
    state = state_of(request)
    await launching.renew(state, session)
    client = session.client
    if client is None or not saving.may_save(client, session.scopes):
        raise BadRequest("the record system does not allow writing here", "consent")
    step = await asyncio.to_thread(session.dialogue.at, session.given, ask=False)
    if not saving.savable(step):
        raise BadRequest("there is no finding to save", "consent")
    stored = await saving.save(client, step, session.encounter, session.user, Deadline.after(_MILLISECONDS))
    _note(state, session, "save", f"saved={len(stored.references)} refused={stored.refused}")
    if stored.references:
        session.saved = (*session.saved, *stored.references)
        if not stored.refused:
            await launching.read_again(state, session)
            session.given = _kept(session)
        await state.sessions.changed(session)
    return await _fragments(session, state, state.public_url(request), (), saved=stored)


@router.post("/s/{session_id}/close")
async def close(request: Request) -> Response:
    session, _ = await _posted(request)
    await state_of(request).sessions.close(session.id)
    return Response(status_code=204)


def _note(state: AppState, session: Session, action: Literal["read", "save"], detail: str) -> None:
    """On the audit trail: that this user opened this patient's chart here, or wrote to it. Hashes only."""
    store, tenant = state.async_store.store, session.tenant.id if session.tenant else "-"
    actor = store.key(tenant, "user", session.user) if session.user else None
    subject = store.key(tenant, "patient", session.chart.patient_id) if session.chart else None
    state.async_store.note(Event(now_ms(), tenant, action, "companion", "done", actor, subject, detail))


def _kept(session: Session) -> dict[str, tuple[str, ...]]:
    """Answers that were not written (a diagnosis, a drug, a goal, "don't know") stay answers of the conversation."""
    written = {"history", "lesion"}
    kept: dict[str, tuple[str, ...]] = {}
    for question_id, values in session.given.items():
        question = session.dialogue.data.question(question_id)
        if question is None:
            continue
        chosen = [choice for choice in question.answers if choice.id in values]
        kinds = {record.as_ for choice in chosen for record in choice.records}
        if question.record is not None:
            kinds.add(question.record.as_)
        if values == ("unknown",) or not kinds <= written or not kinds:
            kept[question_id] = values
    return kept


async def _fragments(
    session: Session, state: AppState, base: str, moves: Any, *, saved: saving.Saved | None = None
) -> Response:
    values = await asyncio.to_thread(_live, session, state, base, moves)
    return JSONResponse(
        {
            "live": rendered("companion/live.html", **values),
            "dialogue": rendered("companion/dialogue.html", **values, saved=saved),
        }
    )


def _live(session: Session, state: AppState, base: str, moves: Any) -> dict[str, Any]:
    step = session.dialogue.at(session.given)
    view = PageView(step, state.brain.knowledge, base)
    return {
        "title": session.dialogue.data.title,
        "headings": session.dialogue.data.headings,
        "base": base,
        "step": step,
        "view": view,
        "given": tuple(saving.told(session.dialogue, session.given)),
        "given_ids": tuple(session.given),
        "changes": tuple(view.changes(moves)),
        "unknown": session.dialogue.data.unknown,
        "open": session.dialogue.open(session.given),
        "may_save": saving.may_save(session.client, session.scopes),
        "savable": len(saving.savable(step)),
        "saved_before": session.saved,
        "summary": saving.summary(session.dialogue, session.given, step),
        "path": f"/companion/s/{session.id}",
    }


def _named(request: Request) -> str:
    """The session of the address. What stands in an address is asked of the request: a parameter of a route would have
    the framework build a validator for a text, and import what it needs for that."""
    return str(request.path_params["session_id"])


async def _find(state: AppState, request: Request) -> Session | None:
    return await state.sessions.find(_named(request), _browser(request))


async def _required(request: Request) -> Session:
    session = await _find(state_of(request), request)
    if session is None:
        raise Ended("the session has ended")
    return session


async def _posted(request: Request) -> tuple[Session, Mapping[str, Any]]:
    """The session and the body of a call by the page's own script (its key is in the page, not in a cookie)."""
    body = await request.body()
    session = await _required(request)
    if not secrets.compare_digest(request.headers.get("x-companion-key", ""), session.page_key):
        raise Ended("the session has ended")
    return session, decode_request(body)


def _secret(request: Request) -> str | None:
    """The browser's secret, if it is one that we could have made."""
    found = request.cookies.get(_COOKIE, "")
    return found if _SECRET.fullmatch(found) else None


def _browser(request: Request) -> str | None:
    secret = _secret(request)
    return browser_of(secret) if secret else None


def _to_page(request: Request, session: Session, secret: str) -> Response:
    return _with_cookie(RedirectResponse(f"/companion/s/{session.id}", 303), request, secret)


def _with_cookie(response: Response, request: Request, secret: str) -> Response:
    """One random secret, for this path, kept apart for each page that embeds us (CHIPS), so that it survives where
    third-party cookies are blocked. No token, nothing of the patient."""
    cookie = f"{_COOKIE}={secret}; Path=/companion; HttpOnly; Secure; SameSite=None; Partitioned"
    response.headers.append("Set-Cookie", cookie)
    return response


def _policy(state: AppState, tenant: Any) -> dict[str, str]:
    """Strict content policy; only the tenant's own origins may embed the page (the demonstration's page in it)."""
    ancestors = list(tenant.frame_ancestors) if tenant is not None else []
    if tenant is None and state.settings.sandbox_url:
        ancestors = [state.settings.sandbox_url, state.settings.sandbox_url.replace("127.0.0.1", "localhost")]
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {' '.join(ancestors) or chr(39) + 'none' + chr(39)}"
    )
    return {"Content-Security-Policy": policy}


def _problem(request: Request, text: str, status: int, again: str | None = None) -> Response:
    body = rendered("companion/problem.html", title="Calcinosis companion", text=text, again=again)
    return Response(body, status, media_type="text/html; charset=utf-8", headers=_policy(state_of(request), None))
