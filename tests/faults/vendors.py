"""FHIR servers with the manners of real ones, as small ASGI applications over the same resources.

Epic, Oracle Health, MEDITECH, a HAPI-like permissive one and one that is blind to the system of a code (as OpenEMR was
seen to be). Each manner is one that was recorded or documented; `asked` keeps what came in."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

Resource = dict[str, Any]
Parameters = list[tuple[str, str]]
OUTCOME = "outcome"


class Refusal(Exception):
    def __init__(
        self, status: int, code: str, text: str = "", *, plain: bool = False, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.plain, self.headers = status, code, text, plain, headers or {}


def issue(severity: str, code: str, detail: str | None = None) -> Resource:
    found: Resource = {"severity": severity, "code": code}
    return found | ({"details": {"coding": [{"code": detail}], "text": "…"}} if detail else {})


def outcome(*issues: Resource) -> Resource:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


@dataclass
class Vendor:
    """The permissive one; the others change single methods."""

    resources: list[Resource]
    page_size: int = 4
    version: str = "4.0.1"
    token: str | None = None
    withheld: str | None = None
    """an issue code by which the server says that it kept something back (59204, 59205, 4130)."""
    merged: dict[str, str] = field(default_factory=dict)
    lose_sessions: int = 0
    """how many paging sessions expire once."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    posts = True
    max_count: int | None = None
    includes = True
    page_parameter = "session"

    def __post_init__(self) -> None:
        self._pages: dict[str, list[Resource]] = {}
        self._ids = itertools.count(1)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        path, query = scope["path"], scope["query_string"].decode()
        self.asked.append((scope["method"], path, query))
        base = f"http://{headers['host']}"
        try:
            status, extra, answer = self.answer(scope["method"], base, path, query, body.decode(), headers)
            content = json.dumps(answer).encode()
        except Refusal as refusal:
            status, extra = refusal.status, refusal.headers
            content = json.dumps(outcome(issue("error", refusal.code))).encode()
            if refusal.plain:
                content = refusal.text.encode()
        kind = b"application/fhir+json"
        sent = [(b"content-type", kind), *((k.encode(), v.encode()) for k, v in extra.items())]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": content})

    def answer(
        self, method: str, base: str, path: str, query: str, form: str, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], Resource]:
        if self.token and headers.get("authorization") != f"Bearer {self.token}":
            raise Refusal(401, "login")
        parts = path.strip("/").split("/")
        if parts == ["metadata"]:
            return 200, {}, {"resourceType": "CapabilityStatement", "fhirVersion": self.version, "rest": []}
        parameters = parse_qsl(query) + (parse_qsl(form) if method == "POST" else [])
        if parts[-1] == "_search":
            if not self.posts:
                raise Refusal(405, "not-supported", "POST is not supported", plain=True)
            return 200, {}, self.search(base, parts[0], parameters)
        if len(parts) == 2:
            if parts[1] in self.merged:
                return (
                    301,
                    {"location": f"{base}/{parts[0]}/{self.merged[parts[1]]}"},
                    outcome(issue("warning", "processing", "4107")),
                )
            found = [r for r in self.resources if (r["resourceType"], r.get("id")) == tuple(parts)]
            if not found:
                raise Refusal(404, "not-found")
            return 200, {}, self.changed(found[0])
        if session := dict(parameters).get(self.page_parameter):
            return 200, {}, self.next_page(base, parts[0], session)
        return 200, {}, self.search(base, parts[0], parameters)

    # what the vendors do differently

    def check(self, kind: str, parameters: Parameters) -> None:
        """Raises Refusal for a search that this server does not take."""
        count = dict(parameters).get("_count")
        if count and self.max_count and int(count) > self.max_count:
            raise Refusal(400, "invalid", f"_count over {self.max_count}")

    def code_matches(self, resource: Resource, wanted: str) -> bool:
        codings = resource.get("code", {}).get("coding", [])
        return any(wanted in (c.get("code"), f"{c.get('system')}|{c.get('code')}") for c in codings)

    def warnings(self, kind: str, found: list[Resource], parameters: Parameters) -> Iterable[Resource]:
        if self.withheld:
            yield issue("warning", "suppressed", self.withheld)

    def changed(self, resource: Resource) -> Resource:
        """A resource as this server writes it."""
        return resource

    # searching and paging

    def search(self, base: str, kind: str, parameters: Parameters) -> Resource:
        self.check(kind, parameters)
        asked = dict(parameters)
        found = [r for r in self.resources if r["resourceType"] == kind and self._of(r, asked.get("patient"))]
        for name, values in parameters:
            wanted = values.split(",")
            if name == "category":
                found = [r for r in found if self._categories(r) & {w.rpartition("|")[2] for w in wanted}]
            elif name == "code":
                found = [r for r in found if any(self.code_matches(r, w) for w in wanted)]
            elif name == "status":
                found = [r for r in found if r.get("status") in wanted]
        entries = [{"resource": self.changed(r), "search": {"mode": "match"}} for r in found]
        if self.includes and "_include" in asked:
            names = {r.get("medicationReference", {}).get("reference") for r in found}
            drugs = [r for r in self.resources if f"{r['resourceType']}/{r.get('id')}" in names]
            entries += [{"resource": r, "search": {"mode": "include"}} for r in drugs]
        issues = list(self.warnings(kind, found, parameters))
        if issues:
            entries.append({"resource": outcome(*issues), "search": {"mode": OUTCOME}})
        session = f"{kind}-{next(self._ids)}"
        self._pages[session] = entries
        return self.next_page(base, kind, f"{session}-0")

    def next_page(self, base: str, kind: str, session: str) -> Resource:
        name, _, start = session.rpartition("-")
        if int(start) and self.lose_sessions:
            self.lose_sessions -= 1
            self._pages.pop(name, None)
        if name not in self._pages:
            raise Refusal(410, "expired")
        entries, begin = self._pages[name], int(start)
        page = entries[begin : begin + self.page_size]
        found: Resource = {"resourceType": "Bundle", "type": "searchset", "entry": page}
        if begin + self.page_size < len(entries):
            following = f"{name}-{begin + self.page_size}"
            found["link"] = [{"relation": "next", "url": f"{base}/{kind}?{self.page_parameter}={quote(following)}"}]
        return found

    def _of(self, resource: Resource, patient: str | None) -> bool:
        reference = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
        wanted = self.merged.get(patient or "", patient)
        return patient is not None and reference.rpartition("/")[2] == wanted

    @staticmethod
    def _categories(resource: Resource) -> set[str]:
        entries = resource.get("category") or []
        entries = entries if isinstance(entries, list) else [entries]
        return {c.get("code", "") for e in entries for c in e.get("coding", [])}


class Hapi(Vendor):
    """Permissive: takes every parameter, includes, posts; first page holds what was asked for. What was asked before is
    answered from memory, unless the client says that it wants it fresh (HAPI FHIR JPA server 8.8, for a minute)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._remembered: dict[tuple[str, ...], tuple[int, dict[str, str], Resource]] = {}

    def answer(
        self, method: str, base: str, path: str, query: str, form: str, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], Resource]:
        asked = (method, path, query, form)
        if asked not in self._remembered or headers.get("cache-control") == "no-cache":
            self._remembered[asked] = super().answer(method, base, path, query, form, headers)
        return self._remembered[asked]


class Epic(Vendor):
    """Category or code required for Observations; unknown parameters ignored with a warning; an OperationOutcome in
    every answer, also in an empty one; post-filtered pages that are empty in the middle; opaque page links; local
    codes beside the standard ones; medications by reference, not included."""

    includes = False
    max_count = 1000

    def check(self, kind: str, parameters: Parameters) -> None:
        super().check(kind, parameters)
        if kind == "Observation" and not {"category", "code"} & {name for name, _ in parameters}:
            raise Refusal(400, "required", "Must have either code or category.")

    def warnings(self, kind: str, found: list[Resource], parameters: Parameters) -> Iterable[Resource]:
        yield from super().warnings(kind, found, parameters)
        if not found:
            yield issue("warning", "processing", "4101")
        if any(name.startswith("_") for name, _ in parameters):
            yield issue("information", "informational", "59100")
        yield issue("information", "informational", "4119")

    def next_page(self, base: str, kind: str, session: str) -> Resource:
        """An empty page between any two: some parameters filter after paging."""
        if session.startswith("gap."):
            following = {"relation": "next", "url": f"{base}/{kind}?session={session[4:]}"}
            return {"resourceType": "Bundle", "type": "searchset", "entry": [], "link": [following]}
        found = super().next_page(base, kind, session)
        for link in found.get("link", ()):
            link["url"] = link["url"].replace("session=", "session=gap.")
        return found

    def changed(self, resource: Resource) -> Resource:
        code = resource.get("code")
        if resource["resourceType"] != "Observation" or not isinstance(code, dict) or not code.get("coding"):
            return resource
        local = {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.768282", "code": "1540", "display": None}
        return resource | {"code": code | {"coding": [local, *code["coding"]]}}


class Oracle(Vendor):
    """`_sort` and `_include` refused; errors as plain text; no POST; JSON only; rows entered in error are returned;
    codes may lack behind a data-absent-reason."""

    posts = False
    includes = False
    max_count = 200

    def answer(self, method: str, base: str, path: str, query: str, form: str, headers: dict[str, str]) -> Any:
        if "json" not in headers.get("accept", ""):
            raise Refusal(406, "not-supported", "Not Acceptable", plain=True)
        return super().answer(method, base, path, query, form, headers)

    def check(self, kind: str, parameters: Parameters) -> None:
        refused = [name for name, _ in parameters if name in ("_sort", "_include")]
        count = dict(parameters).get("_count")
        if refused or (count and int(count) > 200):
            raise Refusal(400, "invalid", "Unsupported parameter", plain=True)

    def changed(self, resource: Resource) -> Resource:
        code = resource.get("code")
        if resource["resourceType"] != "Observation" or not isinstance(code, dict):
            return resource
        reason = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
        return resource | {"code": code | {"coding": [*code.get("coding", []), {"extension": [reason]}]}}

    def search(self, base: str, kind: str, parameters: Parameters) -> Resource:
        found = super().search(base, kind, parameters)
        if kind == "Observation" and found["entry"]:
            first = found["entry"][0]["resource"]
            wrong = first | {"id": "in-error", "status": "entered-in-error"}
            found["entry"].append({"resource": wrong, "search": {"mode": "match"}})
        return found


class Meditech(Vendor):
    """Category required for Observations and Conditions, search by code refused, `_count` over 100 and `_sort` refused,
    no POST; an OperationOutcome among the entries."""

    posts = False
    includes = False
    max_count = 100

    def check(self, kind: str, parameters: Parameters) -> None:
        super().check(kind, parameters)
        names = {name for name, _ in parameters}
        if "_sort" in names or "_include" in names or "code" in names:
            raise Refusal(400, "not-supported")
        if kind in ("Observation", "Condition") and "category" not in names:
            raise Refusal(400, "required")

    def warnings(self, kind: str, found: list[Resource], parameters: Parameters) -> Iterable[Resource]:
        yield from super().warnings(kind, found, parameters)
        yield issue("information", "informational")


class SystemBlind(Meditech):
    """A search by system and code finds nothing, and says so without an error."""

    def check(self, kind: str, parameters: Parameters) -> None:
        super().check(kind, [p for p in parameters if p[0] != "code"])

    def code_matches(self, resource: Resource, wanted: str) -> bool:
        return "|" not in wanted and super().code_matches(resource, wanted)


VENDORS: dict[str, Callable[..., Vendor]] = {
    "epic": Epic,
    "oracle": Oracle,
    "meditech": Meditech,
    "hapi": Hapi,
    "system-blind": SystemBlind,
}
