"""A small FHIR R4 REST server over `Store`, for the demo and the tests: read, vread, search (GET and POST), paging,
create, update, delete, batch and transaction, CapabilityStatement. No authorization: it is bound to loopback and
holds fictional patients only.

Why our own: the one package that would fit, sekmet-fhir 0.1.1 (2026-09, beta, Apache-2.0), is a whole hospital
simulator; it brings nine dependencies that nothing else here needs (lxml, faker, fhirpathpy, jsonpatch, pyjwt, typer,
…), its own settings and consoles, and validates on load, so a chart with one odd resource could not be served.
"""

from __future__ import annotations

import base64
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import orjson
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp

from cds_service.sandbox.conformance import ENCODER, FhirError, capability_statement, known_type, valid_id, validate
from cds_service.sandbox.content import relink
from cds_service.sandbox.search import SearchError
from cds_service.sandbox.store import Found, Resource, ResourceNotFoundError, Store

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_MAX_BODY = 32 * 1024 * 1024
_DEFAULT_COUNT, _MAX_COUNT = 100, 1000
_MEDIA_TYPE = "application/fhir+json; charset=utf-8"


def fhir_app(store: Store) -> ASGIApp:
    """The FHIR endpoint as an ASGI application, to be mounted at the base path."""
    return CORSMiddleware(
        Router(routes=FhirServer(store).routes()),
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Location", "ETag", "Last-Modified"],
        allow_private_network=True,  # a page on a public address (the CDS Hooks sandbox) may call loopback
    )


class FhirServer:
    def __init__(self, store: Store) -> None:
        self.store = store
        self._pages: OrderedDict[str, tuple[str, Found, int]] = OrderedDict()

    def routes(self) -> list[Route | Mount]:
        def route(path: str, name: str, *methods: str) -> Route:
            return Route(path, self._guard(name), methods=list(methods))

        return [
            route("/", "root", "GET", "POST"),
            route("/metadata", "metadata", "GET"),
            route("/{type}", "search_or_create", "GET", "POST"),
            route("/{type}/_search", "search_by_post", "POST"),
            route("/{type}/{id}", "instance", "GET", "PUT", "DELETE"),
            route("/{type}/{id}/_history/{version}", "vread", "GET"),
        ]

    def _guard(self, name: str) -> Any:
        handler = getattr(self, name)

        async def guarded(request: Request) -> Response:
            try:
                answer: Response = await handler(request)
            except FhirError as error:
                return respond(error.outcome(), error.status)
            except ResourceNotFoundError as error:
                status = 410 if error.gone else 404
                return respond(
                    FhirError(status, "deleted" if error.gone else "not-found", str(error)).outcome(), status
                )
            except SearchError as error:
                return respond(FhirError(400, "invalid", str(error)).outcome(), 400)
            return answer

        return guarded

    async def root(self, request: Request) -> Response:
        if request.method == "POST":
            return respond(self._process(await _body(request), base_of(request)))
        token = request.query_params.get("_page")
        if token is None:
            raise FhirError(400, "invalid", "searching all types is not supported; name a resource type")
        if token not in self._pages:
            raise FhirError(410, "expired", "this page link has expired; repeat the search")
        resource_type, found, offset = self._pages[token]
        return self._page(request, resource_type, found, offset)

    async def metadata(self, request: Request) -> Response:
        return respond(capability_statement(base_of(request)))

    async def search_or_create(self, request: Request) -> Response:
        resource_type = known_type(request.path_params["type"])
        if request.method == "POST":
            resource = self._create(resource_type, await _body(request))
            return _written(request, resource, created=True)
        return self._search(request, resource_type, parse_qsl(request.url.query, keep_blank_values=True))

    async def search_by_post(self, request: Request) -> Response:
        form = parse_qsl((await _raw(request)).decode("utf-8", "replace"), keep_blank_values=True)
        query = parse_qsl(request.url.query, keep_blank_values=True)
        return self._search(request, known_type(request.path_params["type"]), query + form)

    async def instance(self, request: Request) -> Response:
        resource_type, resource_id = known_type(request.path_params["type"]), valid_id(request.path_params["id"])
        if request.method == "GET":
            resource = self.store.read(resource_type, resource_id)
            raw = _raw_form(request, resource) if resource_type == "Binary" else None
            return raw or _written(request, resource, created=False)
        if request.method == "DELETE":
            self.store.delete(resource_type, resource_id)
            return Response(status_code=204)
        resource, created = self._update(resource_type, resource_id, await _body(request))
        return _written(request, resource, created=created)

    async def vread(self, request: Request) -> Response:
        version = request.path_params["version"]
        if not version.isdigit():
            raise FhirError(400, "invalid", "version ids of this server are numbers")
        resource_type, resource_id = known_type(request.path_params["type"]), valid_id(request.path_params["id"])
        return _written(request, self.store.read(resource_type, resource_id, int(version)), created=False)

    def _search(self, request: Request, resource_type: str, parameters: list[tuple[str, str]]) -> Response:
        found = self.store.search(resource_type, parameters)
        if found.ignored and "handling=strict" in request.headers.get("prefer", ""):
            raise FhirError(400, "not-supported", f"unknown search parameter {found.ignored[0]}")
        return self._page(request, resource_type, found, 0)

    def _page(self, request: Request, resource_type: str, found: Found, offset: int) -> Response:
        base = base_of(request)
        size = min(found.count if found.count is not None else _DEFAULT_COUNT, _MAX_COUNT)
        ids = found.ids[offset : offset + size]
        links = [{"relation": "self", "url": f"{base}/{resource_type}?{urlencode(found.used)}".rstrip("?")}]
        if size and offset + size < len(found.ids):
            token = secrets.token_urlsafe(24)
            self._pages[token] = (resource_type, found, offset + size)
            while len(self._pages) > 1000:
                self._pages.popitem(last=False)
            links.append({"relation": "next", "url": f"{base}?_page={token}"})
        entries: list[Resource] = [
            {"fullUrl": f"{base}/{resource_type}/{resource_id}", "resource": orjson.Fragment(body), "search": _MATCH}
            for resource_id, body in zip(ids, self.store.bodies(resource_type, ids), strict=False)
        ]
        if found.ignored and offset == 0:
            text = f"not used: unknown search parameter {', '.join(found.ignored)}"
            warning = {"severity": "warning", "code": "not-supported", "diagnostics": text}
            outcome = {"resourceType": "OperationOutcome", "issue": [warning]}
            entries.append({"resource": outcome, "search": {"mode": "outcome"}})
        bundle: Resource = {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found.ids),
            "link": links,
        }
        if entries:
            bundle["entry"] = entries
        return Response(orjson.dumps(bundle), media_type=_MEDIA_TYPE)

    def _create(self, resource_type: str, resource: Resource, new_id: str | None = None) -> Resource:
        validate(resource, resource_type)
        return self.store.create(resource, new_id)

    def _update(self, resource_type: str, resource_id: str, resource: Resource) -> tuple[Resource, bool]:
        validate(resource, resource_type)
        if resource.get("id") != resource_id:
            raise FhirError(400, "invalid", "the resource's id is not the id of the URL", f"{resource_type}.id")
        return self.store.update(resource)

    def _process(self, bundle: Resource, base: str) -> Resource:
        """A batch or transaction Bundle; a transaction is stored whole or not at all."""
        if bundle.get("resourceType") != "Bundle" or bundle.get("type") not in ("batch", "transaction"):
            raise FhirError(
                400, "invalid", "POST to the base takes a Bundle of type batch or transaction", "Bundle.type"
            )
        entries = bundle.get("entry") or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise FhirError(400, "structure", "Bundle.entry is not a list of objects", "Bundle.entry")
        if bundle["type"] == "batch":
            answers = [self._alone(index, entry, base) for index, entry in enumerate(entries)]
        else:
            entries = [dict(entry) for entry in entries]
            new_ids = self._new_ids(entries)
            with self.store.transaction():
                answers = [
                    self._entry(index, {**entry, "resource": relink(entry.get("resource"), new_ids)}, base)
                    for index, entry in enumerate(entries)
                ]
        return {"resourceType": "Bundle", "type": f"{bundle['type']}-response", "entry": answers}

    def _new_ids(self, entries: list[Resource]) -> dict[str, str]:
        """fullUrl of every entry to be created -> the reference it will have."""
        references = {}
        for entry in entries:
            resource, full_url = entry.get("resource"), entry.get("fullUrl")
            if not isinstance(resource, dict) or not isinstance(full_url, str):
                continue
            kind = str(resource.get("resourceType"))
            method = str((entry.get("request") or {}).get("method"))
            if method == "POST":
                entry["newId"] = secrets.token_hex(16)
                references[full_url] = f"{kind}/{entry['newId']}"
            elif resource.get("id"):
                references[full_url] = f"{kind}/{resource['id']}"
        return references

    def _alone(self, index: int, entry: Resource, base: str) -> Resource:
        try:
            with self.store.transaction():
                return self._entry(index, entry, base)
        except FhirError as error:
            return {"response": {"status": str(error.status), "outcome": error.outcome()}}
        except ResourceNotFoundError as error:
            return {"response": {"status": "404", "outcome": FhirError(404, "not-found", str(error)).outcome()}}

    def _entry(self, index: int, entry: Resource, base: str) -> Resource:
        request = entry.get("request")
        where = f"Bundle.entry[{index}]"
        if not isinstance(request, dict) or not isinstance(request.get("url"), str):
            raise FhirError(400, "required", f"{where}.request with method and url is required", f"{where}.request")
        method, parts = request.get("method"), request["url"].partition("?")[0].strip("/").split("/")
        resource_type = known_type(parts[0])
        resource = entry.get("resource")
        try:
            if method == "POST" and isinstance(resource, dict) and len(parts) == 1:
                stored, created = self._create(resource_type, resource, entry.get("newId")), True
            elif method == "PUT" and isinstance(resource, dict) and len(parts) == 2:
                stored, created = self._update(resource_type, valid_id(parts[1]), resource)
            elif method == "GET" and len(parts) == 2:
                return {"resource": self.store.read(resource_type, valid_id(parts[1])), "response": {"status": "200"}}
            elif method == "DELETE" and len(parts) == 2:
                self.store.delete(resource_type, valid_id(parts[1]))
                return {"response": {"status": "204"}}
            else:
                raise FhirError(
                    400, "not-supported", f"{where}: this kind of request is not supported", f"{where}.request"
                )
        except FhirError as error:
            raise FhirError(error.status, error.code, f"{where}: {error.text}", error.expression) from None
        location = f"{base}/{resource_type}/{stored['id']}/_history/{stored['meta']['versionId']}"
        return {
            "response": {
                "status": "201" if created else "200",
                "location": location,
                "etag": f'W/"{stored["meta"]["versionId"]}"',
                "lastModified": stored["meta"]["lastUpdated"],
            }
        }


_MATCH = {"mode": "match"}


def base_of(request: Request) -> str:
    """The FHIR base URL as this client called it, without a slash at the end."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"


def respond(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(ENCODER.encode(value), status, headers, _MEDIA_TYPE)


def _written(request: Request, resource: Resource, *, created: bool) -> Response:
    meta = resource.get("meta", {})
    headers = {"ETag": f'W/"{meta.get("versionId", "1")}"'}
    if created:
        path = f"{resource['resourceType']}/{resource['id']}/_history/{meta.get('versionId', '1')}"
        headers["Location"] = f"{base_of(request)}/{path}"
    return respond(resource, 201 if created else 200, headers)


def _raw_form(request: Request, binary: Resource) -> Response | None:
    """A Binary as what it holds, where the caller asks for anything but FHIR (https://hl7.org/fhir/R4/binary.html)."""
    accepted = request.headers.get("accept", "")
    if not accepted or "json" in accepted or "*/*" in accepted:
        return None
    return Response(base64.b64decode(binary.get("data", "")), media_type=binary.get("contentType"))


async def _raw(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise FhirError(413, "too-long", "the body is too large")
    return bytes(body)


async def _body(request: Request) -> Resource:
    try:
        value = _DECODER.decode(await _raw(request))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise FhirError(400, "structure", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise FhirError(400, "structure", "the body is not a JSON object")
    return value
