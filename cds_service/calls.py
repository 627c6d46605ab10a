"""What every call with a body goes through first: who calls, is the token fresh, is there room."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from typing import Any

from fastapi import Request
from msgspec import Struct
from starlette.responses import Response
from starlette.types import Scope

from cds_service.auth import Caller
from cds_service.errors import Overloaded, Unauthorized
from cds_service.lazy_request import lazy_request
from cds_service.limits import decode_request
from cds_service.overload import Share
from cds_service.request_tag import request_tag
from cds_service.scheduler import HEAVY_BYTES
from cds_service.seen_tokens import OUTAGE_SECONDS as _OUTAGE_SECONDS
from cds_service.seen_tokens import Answer
from cds_service.state import AppState, state_of
from cds_service.tenants import NOBODY, Tenant
from hooks.services import HOOKS
from hooks.wire import RequestError, parse_request
from mappings.versions import Version

_PAGES = "/companion/"
_LATE_BYTES = 32 * 1024
"""of a body; a smaller one is decoded whole in the time that taking it apart takes"""
_CALLER = "cds_caller"


class Call(Struct, frozen=True):
    """An admitted call. `stored` is the answer that this very request was given before (a gateway's retry)."""

    state: AppState
    body: bytes
    caller: Caller | None
    stored: Response | None = None

    @property
    def tenant(self) -> Tenant | None:
        return self.caller.tenant if self.caller else None

    @property
    def tenant_id(self) -> str:
        return self.caller.tenant.id if self.caller else NOBODY

    async def decoded(self) -> Mapping[str, Any]:
        """The body as data. Raises BadRequest, or Overloaded when it has to wait too long for its turn."""
        body, most = self.body, self.state.settings.max_nodes
        work = partial(decode_request, body, max_nodes=most)
        return await self.state.scheduler.run(self.tenant_id, len(body) > HEAVY_BYTES, work)

    async def chart(self) -> Mapping[str, Any]:
        """As `decoded`, of a request with a prefetch: what says nothing in it may be bytes still."""
        body, work = self.body, self._chart
        return await self.state.scheduler.run(self.tenant_id, len(body) > HEAVY_BYTES, work)

    def _chart(self) -> Mapping[str, Any]:
        state, most = self.state, self.state.settings.max_nodes

        def about(request: Mapping[str, Any]) -> tuple[str, Version | None] | None:
            try:
                hook = parse_request(request, expected_hook=None, known_hooks=HOOKS)
            except RequestError:
                return None
            return hook.patient_id, state.release(hook, self.tenant)

        if len(self.body) > _LATE_BYTES:
            found = lazy_request(self.body, about, state.brain_of(self.tenant).reader, max_nodes=most)
            if found is not None:
                return found
        return decode_request(self.body, max_nodes=most)

    def answer(self, response: Response) -> Response:
        """Keeps a good answer for a retry within seconds, in memory only."""
        if self.caller is not None:
            copy = bytes(memoryview(response.body))  # the encoder's own bytes hold room for half as many again
            answer = Answer(copy, response.media_type or "application/json")
            self.state.authenticator.seen.answered(self.caller, answer)
        return response


def claimed_by(scope: Scope) -> str:
    """The tenant that a call says it comes from; not verified."""
    state: AppState = scope["app"].state.cds
    return state.authenticator.claimed(Request(scope).headers.getlist("authorization"))


async def let_in(scope: Scope) -> tuple[AbstractContextManager[None], Share]:
    """Before the body of a POST is read: who calls, is its rate kept. What an unknown caller sends is never read. Gives
    the tenant's slot, to be entered first, and the body's share of the room. Raises Unauthorized or TooMany.

    The companion's pages know their caller by a session; what is not signed in shares the slots of one tenant."""
    state: AppState = scope["app"].state.cds
    caller = None
    if not scope["path"].startswith(_PAGES):
        caller = await state.caller(Request(scope))
        scope[_CALLER] = caller
    if caller is None:
        return state.slots.of_tenant(NOBODY), state.room.of(NOBODY)
    tenant = caller.tenant
    scope["cds_tenant"] = tenant.id
    state.rates.take(tenant.id, tenant.max_per_minute)
    return state.slots.of_tenant(tenant.id, tenant.max_concurrent), state.room.of(tenant.id)


@asynccontextmanager
async def admitted(request: Request, body: bytes | None = None) -> AsyncIterator[Call]:
    """Spends the token of a caller that was let in. `body`: where it was taken from the request already. Raises
    Unauthorized or Overloaded."""
    state = state_of(request)
    if body is None:
        body = await request.body()
    caller: Caller | None = request.scope[_CALLER]
    if caller is None:
        yield Call(state, body, None)
        return
    digest = request_tag(
        state.async_store.store.key(caller.tenant.id, "request", caller.jti), request.scope["path"], body
    )
    stored = await state.authenticator.seen.claim(caller, digest)
    if stored is not None:
        yield Call(state, body, caller, Response(stored.body, media_type=stored.media_type))
        return
    try:
        use = await state.async_store.use_token(caller.tenant.id, caller.jti, digest, caller.ends)
        if use == "reused":
            raise Unauthorized("not authorized")
        if use is None:
            state.authenticator.seen.not_stored(caller)
        if use is None and time.time() - caller.issued > _OUTAGE_SECONDS:
            # nobody can say whether another process has seen it: only a token made for this very call is let in
            raise Overloaded("the store of used tokens does not answer")
        yield Call(state, body, caller)
    finally:
        state.authenticator.seen.answered(caller, None)
