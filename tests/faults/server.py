"""A FHIR server that says what a test tells it to say, well or badly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str], bytes]
PATIENT = "p1"


def fhir(body: Any, status: int = 200, **headers: str) -> Answer:
    return status, {"Content-Type": "application/fhir+json", **headers}, json.dumps(body).encode()


def bundle(*resources: dict[str, Any], next_url: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": r} for r in resources],
    }
    if next_url:
        found["link"] = [{"relation": "next", "url": next_url}]
    return found


def observation(name: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "subject": {"reference": f"Patient/{PATIENT}"},
    }


def outcome(code: str, severity: str = "error", detail: str | None = None) -> dict[str, Any]:
    issue: dict[str, Any] = {"severity": severity, "code": code}
    if detail:
        issue["details"] = {"coding": [{"code": detail}]}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


class Server:
    """A real socket server; `answers` maps a resource type to what it says (bytes None: reset, "hang": never)."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[str, dict[str, list[str]]], Any]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.base = ""

    async def __aenter__(self) -> Server:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.base = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/fhir"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                target = line.decode().split(" ")[1]
                headers = {}
                while (raw := (await reader.readline()).decode().strip()) != "":
                    name, _, value = raw.partition(":")
                    headers[name.lower()] = value.strip()
                self.requests.append((target, headers))
                parts = urlsplit(target)
                kind = parts.path.removeprefix("/fhir/").split("/")[0]
                answer = self.answers.get(kind, lambda *_: fhir(bundle()))(parts.path, parse_qs(parts.query))
                if answer == "hang":
                    await asyncio.sleep(30)
                if answer is None:
                    writer.transport.abort()
                    return
                truncated = isinstance(answer, str) and answer == "truncated"
                status, extra, body = (
                    (200, {"Content-Type": "application/json"}, b'{"resourceType":') if truncated else answer
                )
                head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body) + (500 if truncated else 0)}\r\n"
                writer.write((head + "".join(f"{k}: {v}\r\n" for k, v in extra.items()) + "\r\n").encode() + body)
                await writer.drain()
                if truncated:
                    writer.close()
                    return
        except (ConnectionError, asyncio.CancelledError):
            return
