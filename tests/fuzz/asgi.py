"""One call of the application in this process, without a network: what the fuzzers send by the thousand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple

JSON_HEADERS = ((b"host", b"testserver"), (b"content-type", b"application/json"))


class Told(NamedTuple):
    """An answer; for an exception out of the application 500 and the name of its class."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip()


async def ask(
    app: Any,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    raw_path: bytes | None = None,
    query: bytes = b"",
    headers: Iterable[tuple[bytes, bytes]] = JSON_HEADERS,
) -> Told:
    """The answer to one call from loopback."""
    start: dict[str, Any] = {}
    out = bytearray()
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            await asyncio.sleep(3600)
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            out.extend(message.get("body", b""))

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": raw_path or path.encode(), "root_path": "", "query_string": query,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "headers": list(headers),
    }  # fmt: skip
    try:
        await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001 - the very thing that is looked for; the framework raises it once more
        return Told(500, {}, type(error).__name__.encode())
    return Told(start["status"], dict(start["headers"]), bytes(out))
