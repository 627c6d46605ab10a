"""Pure ASGI middleware: body limits, CORS, and one log line and metric per request (route template, never the path)."""

from __future__ import annotations

import asyncio
import logging
import time
import zlib
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_service.answers import error_response
from cds_service.calls import claimed_by, let_in
from cds_service.errors import BadRequest, RequestTimeout, ServiceError, TooLarge, UnsupportedMedia
from cds_service.loop_turns import LoopTurns
from cds_service.metrics import Metrics
from cds_service.overload import Share, Slots
from cds_service.scheduler import HEAVY_BYTES
from cds_service.tenants import Tenants

_LOG = logging.getLogger("cds_service.access")
_JSON = ("application/json", "application/fhir+json")
_SMALL = 64 * 1024
_ENDING_SECONDS = 30.0
_IDLE_SECONDS = 5.0
_MOST_ENDING = 64
_PAUSING = 4
_PAUSE = 0.02
"""of a refused body that is not small: how long in all and without a piece (as web servers do), and of how many callers
the rest is taken in; a pause after each piece (64 to 256 KB) in which so many of them take turns. A connection
closed under a client that still sends is reset, and the client never reads the answer."""
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)


class RequestLimits:
    """Lets the caller of a POST in, then reads its body whole, within the limit counted after decompression, and checks
    that it is JSON."""

    def __init__(self, app: ASGIApp, max_bytes: int, seconds: float, slots: Slots, turns: LoopTurns) -> None:
        self.app, self.max_bytes, self.seconds = app, max_bytes, seconds
        self.slots, self.turns = slots, turns
        self._pausing, self._ending = asyncio.Semaphore(_PAUSING), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        rest = _Rest(scope, receive)
        try:
            await self.turns.enter(partial(claimed_by, scope))
            with self.slots.of_all():
                slot, share = await let_in(scope)
                with slot, share:
                    await self._handled(scope, rest, send, share)
        except ServiceError as error:
            if rest.is_small:
                await error_response(error)(scope, receive, send)
            else:
                await self._refused(error, rest, send)

    async def _refused(self, error: ServiceError, rest: _Rest, send: Send) -> None:
        """Answers at once. What still comes of a large body is taken in slowly, a few callers' at a time, so that a
        crowd of them keeps nobody from being answered; the connection ends with it, or after seconds."""
        response = error_response(error)
        headers = [*response.raw_headers, *([(b"connection", b"close")] if rest.more else [])]
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        if self._ending < _MOST_ENDING:
            self._ending += 1
            try:
                async with asyncio.timeout(_ENDING_SECONDS):
                    while rest.more:
                        async with asyncio.timeout(_IDLE_SECONDS):  # wait_for can lose the outer time-out
                            await rest()
                        async with self._pausing:
                            await asyncio.sleep(_PAUSE)
            except TimeoutError:
                pass
            finally:
                self._ending -= 1
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _handled(self, scope: Scope, receive: Receive, send: Send, share: Share) -> None:
        headers = dict(scope["headers"])
        _check_type(headers)
        announced = headers.get(b"content-length", b"")
        expected = int(announced[:20]) if announced.isdigit() else 0
        if expected > self.max_bytes:
            raise TooLarge("the body is over the limit", "request")
        await share.reserve(expected)
        try:
            async with asyncio.timeout(self.seconds):
                body = await self._body(receive, headers, share)
        except TimeoutError:
            raise RequestTimeout("the body did not arrive in time", "request") from None
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)

    async def _body(self, receive: Receive, headers: dict[bytes, bytes], share: Share) -> bytes:
        encoding = headers.get(b"content-encoding", b"identity").lower()
        if encoding not in (b"identity", b"gzip", b""):
            raise UnsupportedMedia("Content-Encoding must be gzip or identity", "request")
        inflate = zlib.decompressobj(wbits=31) if encoding == b"gzip" else None
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BadRequest("the body is incomplete", "request")
            chunk = message.get("body", b"")
            if inflate is not None:
                try:
                    chunk = inflate.decompress(chunk, self.max_bytes - size + 1)
                except zlib.error:
                    raise BadRequest("the body is not gzip", "request") from None
                if inflate.unused_data:
                    raise BadRequest("the body has bytes after its gzip stream", "request")
            pieces.append(chunk)
            size += len(chunk)
            if size > self.max_bytes:
                raise TooLarge("the body is over the limit", "request")
            if size > share.taken:
                share.take(size - share.taken)
            if not message.get("more_body", False):
                if inflate is not None and not inflate.eof:
                    raise BadRequest("the body is not whole gzip", "request")
                if size <= HEAVY_BYTES:
                    return b"".join(pieces)
                return await asyncio.to_thread(b"".join, pieces)  # megabytes are copied beside the loop


class _Rest:
    """What still comes of a body."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        announced = dict(scope["headers"]).get(b"content-length", b"")
        self.is_small = announced[:20].isdigit() and int(announced[:20]) <= _SMALL
        self.more = True

    async def __call__(self) -> Message:
        message = await self._receive()
        self.more = message["type"] == "http.request" and message.get("more_body", False)
        return message


def _check_type(headers: dict[bytes, bytes]) -> None:
    kind = headers.get(b"content-type", b"application/json").decode("latin-1").split(";")[0].strip().lower()
    if kind not in _JSON:
        raise UnsupportedMedia("Content-Type must be application/json", "request")


class Cors:
    """Preflights without authentication, allow-origin on every answer, errors too; no credentials."""

    def __init__(self, app: ASGIApp, any_origin: bool, tenants: Tenants) -> None:
        self.app, self.any_origin, self.tenants = app, any_origin, tenants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        allowed = bool(origin) and (self.any_origin or origin in self.tenants.origins)
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            extra = _cors_headers(origin) if allowed else []
            if allowed and headers.get(b"access-control-request-private-network") == b"true":
                # a page from outside that calls a service inside the hospital: only origins that are listed
                extra.append((b"access-control-allow-private-network", b"true"))
            await send({"type": "http.response.start", "status": 204, "headers": extra})
            await send({"type": "http.response.body", "body": b""})
            return

        async def with_origin(message: Message) -> None:
            if message["type"] == "http.response.start" and allowed:
                message["headers"] = [*message["headers"], *_cors_headers(origin)]
            await send(message)

        await self.app(scope, receive, with_origin)


def _cors_headers(origin: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-headers", b"authorization, content-type, accept"),
        (b"access-control-max-age", b"600"),
        (b"vary", b"Origin"),
    ]


class Observed:
    """One metric and one log line per request, by allow-list: route template, method, status, milliseconds."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tenants: Tenants) -> None:
        self.app, self.metrics, self.tenants = app, metrics, tenants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        status, answered = 500, begun
        without_body = scope["method"] == "HEAD"  # as load balancers ask
        asked = {**scope, "method": "GET"} if without_body else scope

        async def watched(message: Message) -> None:
            nonlocal status, answered
            if message.get("body"):
                answered = time.perf_counter()
            if message["type"] == "http.response.start":
                status = message["status"]
                answered = time.perf_counter()
                headers = [*message.get("headers", []), *_SECURITY_HEADERS]
                if b"content-security-policy" in dict(headers):  # ASGI names them in small letters
                    headers = _framed(headers, self.tenants.frame_ancestors)
                message["headers"] = headers
            elif without_body:
                message["body"] = b""
            await send(message)

        try:
            await self.app(asked, receive, watched)
        finally:
            seconds = (answered if answered > begun else time.perf_counter()) - begun
            route = _template(asked)
            tenant = str(asked.get("cds_tenant", "-"))
            self.metrics.request(route, tenant, status, seconds)
            _LOG.info(
                "request",
                extra={
                    "route": route,
                    "method": scope["method"],
                    "status": status,
                    "tenant": tenant,
                    "ms": round(seconds * 1000, 1),
                },
            )


def _framed(headers: list[tuple[bytes, bytes]], ancestors: tuple[str, ...]) -> list[tuple[bytes, bytes]]:
    """Our pages may be framed by nobody, or by those whom the tenants name."""
    if not ancestors:
        return headers
    named = " ".join(ancestors).encode("ascii", "ignore")
    return [
        (name, value.replace(b"frame-ancestors 'none'", b"frame-ancestors " + named))
        if name.lower() == b"content-security-policy"
        else (name, value)
        for name, value in headers
    ]


def _template(scope: Scope) -> str:
    """The route's template, so that neither ids nor unknown paths become labels."""
    route: Any = scope.get("route")
    return str(getattr(route, "path", "unmatched"))
