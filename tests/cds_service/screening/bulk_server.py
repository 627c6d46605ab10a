"""A Bulk Data server as a process of its own: real sockets, real tokens, and faults that a test switches on.

    python -m tests.cds_service.screening.bulk_server DATA JWKS   (prints its port)

DATA holds NDJSON named by type ("Observation.ndjson", "Observation.2.ndjson"), `deleted.ndjson`, `error.ndjson`."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

CLIENT = "registry"
NDJSON = "application/fhir+ndjson"
SECRET = b"signs the links"
PLAIN: dict[str, Any] = {
    "token": True,  # whether calls need a token
    "token_seconds": 300,
    "token_uses": 10_000,  # calls after which a token is no longer taken
    "kickoff": [],  # statuses of the first kick-offs
    "status": [],  # statuses of the first polls; 202 with a Retry-After of 0
    "retry_after": "0",
    "files": {},  # "output[1]" -> list of faults, one a download: a status, "cut", "expired", "fewer"
    "redirect": None,  # base URL that downloads are redirected to
    "files_need_token": True,
    "gzip": False,  # files are .gz
    "encoded": False,  # Content-Encoding: gzip
    "link_seconds": 3600,
    "slow": 0.0,  # seconds before each file
    "pages": False,  # the manifest in pages
    "manifest": {},  # put over the manifest
    "data": "",  # a folder within DATA that is exported in its place
}


class Server:
    def __init__(self, data: Path, jwks: dict[str, Any]) -> None:
        self.data, self.keys = data, KeySet.import_key_set(jwks)
        self.faults: dict[str, Any] = dict(PLAIN)
        self.jobs: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, list[float]] = {}
        self.seen: set[str] = set()
        self.log: list[dict[str, Any]] = []

    def allowed(self, request: Request) -> bool:
        if not self.faults["token"]:
            return True
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        known = self.tokens.get(value)
        if scheme != "Bearer" or known is None or time.time() > known[0] or known[1] <= 0:
            return False
        known[1] -= 1
        return True

    def next_fault(self, name: str) -> Any:
        waiting = self.faults["files"].get(name, [])
        return waiting.pop(0) if waiting else None

    def link(self, base: str, job: str, name: str) -> str:
        until = int(time.time() + self.faults["link_seconds"])
        return f"{base}/files/{job}/{name}?until={until}&sig={signature(job, name, until)}"

    def contents(self, asked: dict[str, Any]) -> dict[str, tuple[str, bytes]]:
        """ "output[0]" -> (type, lines), after `_type`, `_since` and `_typeFilter`."""
        found: dict[str, tuple[str, bytes]] = {}
        data = self.data / self.faults["data"]
        paths = sorted(p for p in data.glob("*.ndjson") if p.stem not in ("deleted", "error"))
        number = 0
        for path in paths:
            kind = path.name.split(".")[0]
            if asked["types"] and kind not in asked["types"]:
                continue
            lines = [line for line in path.read_bytes().splitlines() if matches(json.loads(line), kind, asked)]
            if lines:
                found[f"output[{number}]"] = (kind, b"".join(line + b"\n" for line in lines))
                number += 1
        for part, kind in (("deleted", "Bundle"), ("error", "OperationOutcome")):
            if (data / f"{part}.ndjson").exists():
                found[f"{part}[0]"] = (kind, (data / f"{part}.ndjson").read_bytes())
        return found


def matches(resource: dict[str, Any], kind: str, asked: dict[str, Any]) -> bool:
    updated = resource.get("meta", {}).get("lastUpdated", "")
    if asked["since"] and updated and updated < asked["since"]:
        return False
    filters = [f.partition("?")[2] for f in asked["filters"] if f.startswith(f"{kind}?")]
    codes = {c.get("code") for c in resource.get("code", {}).get("coding", [])}
    return not filters or any(codes & set(f.removeprefix("code=").split(",")) for f in filters)


def signature(job: str, name: str, until: int) -> str:
    return hmac.new(SECRET, f"{job}/{name}/{until}".encode(), hashlib.sha256).hexdigest()


def build(data: Path, jwks: dict[str, Any]) -> FastAPI:
    app, server = FastAPI(), Server(data, jwks)

    @app.middleware("http")
    async def _logged(request: Request, call_next: Any) -> Any:
        token = "authorization" in request.headers
        response = await call_next(request)
        if not request.url.path.startswith("/_"):
            server.log.append(
                {"method": request.method, "path": request.url.path, "host": request.url.hostname, "token": token,
                 "status": response.status_code}
            )  # fmt: skip
        return response

    @app.post("/_faults")
    async def _faults(request: Request) -> dict[str, Any]:
        server.faults = {**PLAIN, **await request.json()}
        server.log.clear()
        return {}

    @app.get("/_log")
    async def _log() -> list[dict[str, Any]]:
        return server.log

    @app.get("/_jobs")
    async def _jobs() -> dict[str, Any]:
        return server.jobs

    @app.get("/fhir/.well-known/smart-configuration")
    async def _smart(request: Request) -> dict[str, Any]:
        return {
            "token_endpoint": f"{str(request.base_url).rstrip('/')}/auth/token",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        }

    @app.post("/auth/token")
    async def _token(request: Request) -> Response:
        from urllib.parse import parse_qs

        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        try:
            claims = jwt.decode(form["client_assertion"], server.keys, algorithms=["RS384", "ES384"]).claims
        except (JoseError, KeyError, ValueError):
            return Response('{"error": "invalid_client"}', 401)
        fine = (
            claims["iss"] == claims["sub"] == CLIENT
            and claims["aud"] == str(request.url)
            and time.time() < claims["exp"] <= time.time() + 300
            and claims["jti"] not in server.seen
            and form["grant_type"] == "client_credentials"
            and form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            and all(scope.startswith("system/") for scope in form["scope"].split())
        )
        if not fine:
            return Response('{"error": "invalid_client"}', 400)
        server.seen.add(claims["jti"])
        value = secrets.token_urlsafe(16)
        server.tokens[value] = [time.time() + server.faults["token_seconds"], server.faults["token_uses"]]
        body = {"access_token": value, "token_type": "bearer", "expires_in": server.faults["token_seconds"]}
        return Response(json.dumps(body), 200, media_type="application/json")

    async def kick_off(request: Request) -> Response:
        if not server.allowed(request):
            return Response(status_code=401)
        if server.faults["kickoff"]:
            return refusal(server.faults["kickoff"].pop(0), server)
        if request.headers.get("prefer") != "respond-async":
            return refusal(400, server)
        query = request.query_params
        job = secrets.token_hex(8)
        server.jobs[job] = {
            "path": request.url.path,
            "types": query["_type"].split(",") if "_type" in query else [],
            "since": query.get("_since", ""),
            "filters": query.getlist("_typeFilter"),
            "time": "2026-11-01T00:00:00Z",
        }
        return Response(status_code=202, headers={"Content-Location": f"/fhir/bulkstatus/{job}"})

    for path in ("/fhir/$export", "/fhir/Patient/$export", "/fhir/Group/{group}/$export"):
        app.get(path)(kick_off)

    @app.get("/fhir/bulkstatus/{job}")
    async def _status(job: str, request: Request) -> Response:
        if not server.allowed(request):
            return Response(status_code=401)
        if job not in server.jobs:
            return refusal(404, server)
        if server.faults["status"]:
            status = server.faults["status"].pop(0)
            if status == 202:
                headers = {"X-Progress": "40%"}
                if server.faults["retry_after"] is not None:
                    headers["Retry-After"] = server.faults["retry_after"]
                return Response(status_code=202, headers=headers)
            return refusal(status, server)
        base = str(request.base_url).rstrip("/")
        contents = server.contents(server.jobs[job])
        entries = {name: entry(kind, lines, server.link(base, job, name)) for name, (kind, lines) in contents.items()}
        manifest = {
            "transactionTime": server.jobs[job]["time"],
            "request": str(request.url),
            "requiresAccessToken": server.faults["token"] and server.faults["files_need_token"],
            **{part: [e for n, e in entries.items() if n.startswith(part)] for part in ("output", "deleted", "error")},
        }
        manifest |= server.faults["manifest"]
        if server.faults["pages"] and "page" not in request.query_params:
            following = f"{base}/fhir/bulkstatus/{job}?page=2"
            manifest |= {"output": manifest["output"][:1], "deleted": [], "error": []}
            manifest["link"] = [{"relation": "next", "url": following}]
        elif server.faults["pages"]:
            manifest["output"] = manifest["output"][1:]
        return Response(json.dumps(manifest), 200, media_type="application/json")

    @app.delete("/fhir/bulkstatus/{job}")
    async def _delete(job: str, request: Request) -> Response:
        if not server.allowed(request):
            return Response(status_code=401)
        return Response(status_code=202 if server.jobs.pop(job, None) is not None else 404)

    @app.get("/{place}/{job}/{name}")
    async def _file(place: str, job: str, name: str, request: Request) -> Response:
        import asyncio

        query = request.query_params
        until = int(query["until"])
        if place == "files" and server.faults["redirect"] is not None:
            target = f"{server.faults['redirect']}/store/{job}/{name}?{query}"
            return Response(status_code=307, headers={"Location": target})
        if place == "store" or not server.faults["files_need_token"]:
            if "authorization" in request.headers:
                return refusal(400, server)  # as object stores do with a signed link
        elif not server.allowed(request):
            return Response(status_code=401)
        if query["sig"] != signature(job, name, until) or time.time() > until or job not in server.jobs:
            return Response(status_code=403)
        await asyncio.sleep(server.faults["slow"])
        fault = server.next_fault(name)
        if fault == "expired":
            return Response(status_code=403)
        if isinstance(fault, int):
            return refusal(fault, server)
        body = server.contents(server.jobs[job])[name][1]
        if fault == "fewer":
            body = body[: body.index(b"\n") + 1] if body.count(b"\n") > 1 else b""
        headers: dict[str, str] = {}
        if server.faults["gzip"] or server.faults["encoded"]:
            body = gzip.compress(body)
            headers = {"Content-Encoding": "gzip"} if server.faults["encoded"] else {}
        if fault == "cut" and server.faults["gzip"]:
            body = body[:-12]
        elif fault == "cut":
            headers["Content-Length"] = str(len(body))
            body = body[: len(body) // 2]
            from fastapi.responses import StreamingResponse

            return StreamingResponse(iter([body]), headers=headers, media_type=NDJSON)
        return Response(body, headers=headers, media_type=NDJSON)

    return app


def entry(kind: str, lines: bytes, url: str) -> dict[str, Any]:
    return {"type": kind, "url": url, "count": lines.count(b"\n")}


def refusal(status: int, server: Server) -> Response:
    """An OperationOutcome, as servers send it; its text is such as must not be repeated."""
    code = {429: "throttled", 404: "not-found", 500: "exception", 503: "transient"}.get(status, "processing")
    issue = {"severity": "error", "code": code, "diagnostics": "patient Jane Canary 1234567"}
    body = json.dumps({"resourceType": "OperationOutcome", "issue": [issue]})
    headers = {"Retry-After": server.faults["retry_after"]} if status in (429, 503) else {}
    return Response(body, status, headers=headers, media_type="application/fhir+json")


def main() -> None:
    app = build(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", access_log=False)
    running = uvicorn.Server(config)

    async def serve() -> None:
        import asyncio

        task = asyncio.create_task(running.serve())
        while not running.started:
            await asyncio.sleep(0.01)
        sys.stdout.write(f"{running.servers[0].sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await task

    import asyncio

    asyncio.run(serve())


if __name__ == "__main__":
    main()
