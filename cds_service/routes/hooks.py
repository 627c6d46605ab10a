"""Discovery, the hooks, and the whole assessment."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cds_service.answers import error_response, json_response
from cds_service.assessing import assessed
from cds_service.async_store import now_ms
from cds_service.audit.events import Event
from cds_service.calls import Call, admitted
from cds_service.chart_cache import Reopening
from cds_service.errors import BadRequest, NotFound, ServiceError, Unauthorized
from cds_service.hook_call import HookCall
from hooks.model import to_json
from hooks.services import HOOKS, SERVICES, HookService, discovery
from hooks.wire import HookRequest, RequestError, parse_request

router = APIRouter()


@router.get("/cds-services")
@router.get("/cds-services/", include_in_schema=False)  # some clients put a slash behind a base URL
async def services() -> Response:
    return json_response(discovery())


@router.post("/cds-services/{service_id}")
async def call(request: Request) -> Response:
    """One hook call: `{"cards": [...]}`, or 412 when the question itself could not be read."""
    service = SERVICES.get(request.path_params["service_id"])
    if service is None:
        raise NotFound("no such service", "service id")
    return await _answer(service, request)


class HookCalls:
    """The hooks, found by their whole address: what the framework does for any route costs more than a silent answer.
    Stands behind the limits; all that is not the address of a hook goes on to the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._route = next(route for route in router.routes if getattr(route, "endpoint", None) is call)
        prefix = "/cds-services/"
        self._services = {prefix + service_id: service for service_id, service in SERVICES.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = self._services.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if service is None or scope.get("root_path"):
            await self.app(scope, receive, send)
            return
        scope["route"] = self._route
        message = await receive()  # the limits hand the body on whole
        try:
            response = await _answer(service, Request(scope, receive), message["body"])
        except ServiceError as error:
            response = error_response(error)
        await response(scope, receive, send)


async def _answer(service: HookService, request: Request, body: bytes | None = None) -> Response:
    async with admitted(request, body) as call:
        if call.stored is not None:
            return call.stored
        hook_call = HookCall(call.state, call.tenant, service.id, call.state.public_url(request))
        seen = await hook_call.reopened(call.body) or await hook_call.fast_path(call.body)
        if seen is None:
            cards = await hook_call.cards(await _parsed(call, service.hook), call.body)
        else:
            _fits(call, seen.hook)
            cards = await (hook_call.again(seen) if isinstance(seen, Reopening) else hook_call.silence(seen))
        return call.answer(json_response({"cards": cards}))


@router.post("/assessments")
async def assessment(request: Request) -> Response:
    """The whole assessment, also when no card would be shown: why silent, what is missing."""
    async with admitted(request) as call:
        if call.stored is not None:
            return call.stored
        hook = await _parsed(call, None)
        found = (await assessed(hook, call.state, call.tenant)).assessment
        note_read(hook, call)
        return call.answer(json_response(to_json(found)))


def note_read(hook: HookRequest, call: Call) -> None:
    """Puts the reading of a whole assessment on the audit trail."""
    tenant, key = call.tenant_id, call.state.async_store.store.key
    user = hook.context.get("userId")
    call.state.async_store.note(
        Event(
            now_ms(),
            tenant,
            "read",
            "assessments",
            "done",
            actor=key(tenant, "user", user) if isinstance(user, str) else None,
            subject=key(tenant, "patient", hook.patient_id),
        )
    )


async def _parsed(call: Call, expected: str | None) -> HookRequest:
    value = await call.chart()
    try:
        hook = parse_request(value, expected_hook=expected, known_hooks=HOOKS)
    except RequestError as error:
        raise BadRequest(error.message, error.element) from None
    _fits(call, hook)
    return hook


def _fits(call: Call, hook: HookRequest) -> None:
    """What a request must be that came with a token, beyond its own shape."""
    if call.caller is None:
        return
    # the two are easily confused: a token for a FHIR server must not open this door, nor ours be sent to a server
    if hook.authorization is not None and call.caller.sent(hook.authorization.access_token):
        raise Unauthorized("not authorized")
    # nobody would know whether a patient reads the card, who saw it before, and whom the audit trail shall name
    if hook.user_kind is None:
        raise BadRequest("is required", "context.userId")
