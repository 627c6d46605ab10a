"""What every call with a body goes through first: who calls, is the token fresh, is there room."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response

from cds_service.auth import Caller
from cds_service.errors import Overloaded, ServiceError, Unauthorized
from cds_service.state import AppState, state_of
from cds_service.tenants import Tenant

_OUTAGE_SECONDS = 60
"""how old a token may be while the store does not answer; this process still takes each only once."""


@dataclass(frozen=True, slots=True)
class Call:
    """An admitted call. `stored` is the answer that this very request was given before (a gateway's retry)."""

    state: AppState
    body: bytes
    caller: Caller | None
    stored: Response | None = None

    @property
    def tenant(self) -> Tenant | None:
        return self.caller.tenant if self.caller else None

    def answer(self, response: Response) -> Response:
        """Keeps a good answer for a retry within seconds, in memory only."""
        if self.caller is not None:
            self.state.authenticator.seen.store(self.caller, bytes(response.body))
        return response


@asynccontextmanager
async def admitted(request: Request) -> AsyncIterator[Call]:
    """Authenticates, spends the token, takes a slot of the tenant. Raises Unauthorized or Overloaded."""
    state = state_of(request)
    body = await request.body()
    caller = await state.caller(request, body)
    if caller is None:
        yield Call(state, body, None)
        return
    request.scope["cds_tenant"] = caller.tenant.id
    state.rates.take(caller.tenant.id, caller.tenant.max_per_minute)
    with state.slots.of_tenant(caller.tenant.id, caller.tenant.max_concurrent):
        stored = state.authenticator.seen.claim(caller)
        if stored is not None:
            yield Call(state, body, caller, Response(stored, media_type="application/json"))
            return
        use = await state.memory.use_token(caller.tenant.id, caller.jti, caller.body_hash, caller.expires)
        if use == "reused":
            raise Unauthorized("not authorized")
        if use is None and time.time() - caller.issued > _OUTAGE_SECONDS:
            # nobody can say whether another process has seen it: only a token made for this very call is let in
            state.authenticator.seen.forget(caller)
            raise Overloaded("the store of used tokens does not answer")
        try:
            yield Call(state, body, caller)
        except ServiceError:
            state.authenticator.seen.forget(caller)
            raise
