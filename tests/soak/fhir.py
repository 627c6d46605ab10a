"""A FHIR server that fails as told: the access token of a call names the faults, so that the right answer is known.

A token reads `soak.<number>.<Type>-<fault>.<Type>-<fault>…`; `All` stands for every type. Patients may be asked for
under a name of their own for each call (`<id>.n<number>`), so that no earlier call changes what is shown for them.

    python -m tests.soak.fhir PORT CERTIFICATE KEY CALLBACK
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections import OrderedDict
from datetime import UTC, date, datetime
from urllib.parse import parse_qsl, urlencode

import httpx
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_service.sandbox.app import SandboxSettings, sandbox_app
from cds_service.sandbox.content import load_all
from cds_service.sandbox.store import Store

FAULTS = ("hang", "slow", "e500", "retry", "cut", "garbage", "html", "lost")
ALIAS = re.compile(rb"\.n\d+")
_SLOW_SECONDS = 0.3
_FIRST_PAGE = "2"
_GARBAGE = b'{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":'
_HTML = b"<!DOCTYPE html><html><title>Sign in</title><body>Your session has expired.</body></html>"
_REMEMBERED = 10_000


def faults_of(headers: dict[bytes, bytes]) -> dict[str, str]:
    """type -> fault, from the access token."""
    token = headers.get(b"authorization", b"").decode().removeprefix("Bearer ")
    if not token.startswith("soak."):
        return {}
    return dict(part.split("-", 1) for part in token.split(".")[2:] if "-" in part)


def renamed(body: bytes, patient: bytes, alias: bytes) -> bytes:
    """A chart in JSON under another name of the patient."""
    return body.replace(b'"' + patient + b'"', b'"' + alias + b'"').replace(
        b"Patient/" + patient + b'"', b"Patient/" + alias + b'"'
    )


class FaultyFhir:
    """`at_once`: faults that take time fail at once instead, as the HTTP client would see it."""

    def __init__(self, app: ASGIApp, *, at_once: bool = False) -> None:
        self.app, self.at_once = app, at_once
        self._told_to_wait: OrderedDict[tuple[bytes, str], None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/fhir"):
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        kind = scope["path"].removeprefix("/fhir").strip("/").partition("/")[0]
        faults = faults_of(headers)
        paged = b"_page=" in scope["query_string"]
        fault = "lost-page" if paged and "lost" in faults.values() else faults.get(kind, faults.get("All", ""))
        if kind in ("metadata", ".well-known"):
            fault = ""
        if fault == "retry" and not self.at_once and self._first(headers.get(b"authorization", b""), kind):
            await _answer(send, 429, b"{}", [(b"retry-after", b"1")])
            return
        await self._failing(fault, scope, receive, send)

    async def _failing(self, fault: str, scope: Scope, receive: Receive, send: Send) -> None:
        if fault == "hang":
            if self.at_once:
                raise httpx.ReadTimeout("")
            while (await receive())["type"] != "http.disconnect":
                pass
        elif fault == "e500":
            await _answer(send, 500, _HTML, [])
        elif fault == "garbage":
            await _answer(send, 200, _GARBAGE, [])
        elif fault == "html":
            await _answer(send, 200, _HTML, [])
        elif fault == "lost-page":
            await _answer(
                send, 410, b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"expired"}]}', []
            )
        elif fault == "cut":
            if self.at_once:
                raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
            await _cut_off(send)
        else:
            if fault == "slow" and not self.at_once:
                await asyncio.sleep(_SLOW_SECONDS)
            await self._answered(scope, receive, send, _FIRST_PAGE if fault == "lost" else None)

    async def _answered(self, scope: Scope, receive: Receive, send: Send, size: str | None) -> None:
        """The sandbox's own answer, about the patient under the name that was asked for."""
        raw = scope["path"].encode() + b"?" + scope["query_string"]
        found = re.search(rb"[=/]([A-Za-z0-9\-]+)(\.n\d+)", raw)
        query = ALIAS.sub(b"", scope["query_string"]).decode()
        if size is not None and "patient=" in query:
            query = urlencode([(k, v) for k, v in parse_qsl(query) if k != "_count"] + [("_count", size)])
        inner = {**scope, "path": ALIAS.sub(b"", scope["path"].encode()).decode(), "query_string": query.encode()}
        inner["raw_path"] = inner["path"].encode()
        start: Message = {}
        body = bytearray()

        async def kept(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self.app(inner, receive, kept)
        out = bytes(body)
        if found:
            alias = found[1] + found[2]
            out = re.sub(rb"(_page=[\w-]+)", rb"\1&of=" + alias, renamed(out, found[1], alias))
        kept_headers = [(k, v) for k, v in start["headers"] if k.lower() != b"content-length"]
        await send(start | {"headers": [*kept_headers, (b"content-length", str(len(out)).encode())]})
        await send({"type": "http.response.body", "body": out})

    def _first(self, token: bytes, kind: str) -> bool:
        """Whether this call was not told to wait before."""
        key = (token, kind)
        if key in self._told_to_wait:
            return False
        self._told_to_wait[key] = None
        while len(self._told_to_wait) > _REMEMBERED:
            self._told_to_wait.popitem(last=False)
        return True


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    kind = b"text/html" if body.startswith(b"<") else b"application/fhir+json"
    every = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body})


async def _cut_off(send: Send) -> None:
    """Half of what was announced; the error then makes the server close the connection."""
    headers = [(b"content-type", b"application/fhir+json"), (b"content-length", b"5000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _GARBAGE, "more_body": True})
    raise ConnectionAbortedError


def sandbox(today: date, service_url: str) -> tuple[ASGIApp, Store]:
    store = Store(":memory:")
    load_all(store, today)
    return sandbox_app(store, SandboxSettings(service_url, today)), store


def main(port: str, certificate: str, key: str, service_url: str) -> None:
    logging.disable(logging.CRITICAL)  # connections that are cut on purpose
    app, _ = sandbox(datetime.now(UTC).date(), service_url)
    uvicorn.run(
        FaultyFhir(app), host="127.0.0.1", port=int(port), ssl_certfile=certificate, ssl_keyfile=key, log_config=None
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
