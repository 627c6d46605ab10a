"""The sandbox as one ASGI application: the FHIR server at /fhir and the reference EHR page at /."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import msgspec
from markdown_it import MarkdownIt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from cds_service.sandbox.authorization import STYLE, AuthorizationServer
from cds_service.sandbox.cases import published_cases
from cds_service.sandbox.fhir_server import fhir_app
from cds_service.sandbox.registration import Clients
from cds_service.sandbox.store import Store

_FHIR = "/fhir"
_ASSETS = {
    "ehr.css": "text/css; charset=utf-8",
    "ehr.js": "text/javascript; charset=utf-8",
    "render.js": "text/javascript; charset=utf-8",
    "favicon.svg": "image/svg+xml",
}
_MAX_MARKDOWN = 256 * 1024


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """`service_url` is the CDS service that the page calls, `today` the day for which the charts were built,
    `fhir_url` another FHIR server that holds the same charts (default: the one beside the page)."""

    service_url: str
    today: date
    fhir_url: str | None = None
    clients: Clients = field(default_factory=Clients)
    """who may launch from here; by default the companion as a public client."""
    token_seconds: float = 3600
    style: Mapping[str, str] = field(default_factory=lambda: STYLE)


def sandbox_app(store: Store, settings: SandboxSettings) -> ASGIApp:
    fhir = fhir_app(store)
    authorization = AuthorizationServer(
        (f"{settings.service_url}/companion/callback",), settings.clients, settings.token_seconds, settings.style
    )
    page = Router(routes=[*_Page(store, settings, authorization).routes(), *authorization.routes()])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path == f"{_FHIR}/.well-known/smart-configuration":
            request = Request(scope)
            configuration = authorization.configuration(f"{request.url.scheme}://{request.url.netloc}")
            await JSONResponse(configuration)(scope, receive, send)
        elif scope["type"] == "http" and (path == _FHIR or path.startswith(f"{_FHIR}/")):
            refused = _refused(authorization, Request(scope))
            if refused is not None:
                await refused(scope, receive, send)
                return
            inner = {**scope, "root_path": scope.get("root_path", "") + _FHIR}
            await fhir(inner | {"path": f"{_FHIR}/"} if path == _FHIR else inner, receive, send)
        else:
            await page(scope, receive, send)

    return app


def _refused(authorization: AuthorizationServer, request: Request) -> Response | None:
    """What a token of the authorization server does not allow."""
    kind, _, rest = request.url.path.removeprefix(f"{_FHIR}/").partition("/")
    patient = rest if kind == "Patient" and rest else request.query_params.get("patient")
    status = authorization.refusal(request.headers.get("authorization"), request.method, kind, patient)
    if status is None:
        return None
    code = "login" if status == 401 else "forbidden"
    issue = {"severity": "error", "code": code, "diagnostics": "the token does not allow this"}
    return JSONResponse({"resourceType": "OperationOutcome", "issue": [issue]}, status)


class _Page:
    def __init__(self, store: Store, settings: SandboxSettings, authorization: AuthorizationServer) -> None:
        self.store, self.settings, self.authorization = store, settings, authorization
        self._folder = resources.files("cds_service.sandbox") / "static"
        self._markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
        others = {
            f"{u.scheme}://{u.netloc}"
            for u in map(urlsplit, (settings.service_url, settings.fhir_url or ""))
            if u.netloc
        }
        service = urlsplit(settings.service_url)
        self._headers = {
            "Content-Security-Policy": (
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; "
                f"connect-src 'self' {' '.join(sorted(others))}; form-action 'none'; frame-ancestors 'none'; "
                f"frame-src {service.scheme}://{service.netloc} http://127.0.0.1:* http://localhost:*"
            ),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        }

    def routes(self) -> list[Route]:
        return [
            Route("/", self.page),
            Route("/assets/{name}", self.asset),
            Route("/sandbox/config", self.config),
            Route("/sandbox/launch", self.launch, methods=["POST"]),
            Route("/sandbox/markdown", self.markdown, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        text = (self._folder / "ehr.html").read_text(encoding="utf-8")
        return Response(text, media_type="text/html; charset=utf-8", headers=self._headers)

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _ASSETS:
            return Response("not found", 404, media_type="text/plain")
        return Response((self._folder / name).read_bytes(), media_type=_ASSETS[name], headers=self._headers)

    async def config(self, request: Request) -> Response:
        """Where the service is, which day it is, and whom one can choose."""
        return JSONResponse(
            {
                "serviceUrl": self.settings.service_url,
                "fhirServer": self.settings.fhir_url or f"{request.url.scheme}://{request.url.netloc}{_FHIR}",
                "today": self.settings.today.isoformat(),
                "userId": "Practitioner/sandbox-clinician",
                "patients": self._patients(),
            },
            headers=self._headers,
        )

    async def launch(self, request: Request) -> Response:
        """A launch token for the patient on the page, as an EHR makes one when a SMART link is opened."""
        patient, scope = request.query_params.get("patient", ""), request.query_params.get("scope")
        return JSONResponse({"launch": self.authorization.launch(patient, scope)}, headers=self._headers)

    def _patients(self) -> list[dict[str, Any]]:
        stages = {stage.id: stage for stage in published_cases()}
        known = {p["id"]: p for p in self._all_patients()}
        listed = [known[key] | {"group": "case"} for key in stages if key in known]
        listed += [p | {"group": "background"} for key, p in known.items() if key not in stages]
        for patient in listed:
            if stage := stages.get(patient["id"]):
                patient |= {
                    "name": stage.name,
                    "case": stage.case,
                    "stage": stage.stage,
                    "title": stage.title,
                    "summary": stage.summary,
                    "citation": stage.citation,
                }
        return listed

    def _all_patients(self) -> list[dict[str, Any]]:
        found = self.store.search("Patient", [("_sort", "family")])
        patients = [msgspec.json.decode(body) for body in self.store.bodies("Patient", found.ids)]
        return [
            {
                "id": patient["id"],
                "name": _name(patient),
                "gender": patient.get("gender"),
                "birthDate": patient.get("birthDate"),
            }
            for patient in patients
        ]

    async def markdown(self, request: Request) -> Response:
        """GitHub-flavoured Markdown of a card to HTML; raw HTML in it stays text."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_MARKDOWN:
                return Response("too large", 413, media_type="text/plain")
        try:
            texts = msgspec.json.decode(body, type=list[str])
        except msgspec.DecodeError:
            return Response("a JSON list of texts is expected", 400, media_type="text/plain")
        return JSONResponse([self._markdown.render(text) for text in texts], headers=self._headers)


def _name(patient: dict[str, Any]) -> str:
    """The official name, or the first one; the id when there is none."""
    names = [name for name in patient.get("name") or [] if isinstance(name, dict)]
    name = next((n for n in names if n.get("use") == "official"), names[0] if names else {})
    return name.get("text") or " ".join([*name.get("given", []), name.get("family") or ""]).strip() or patient["id"]
