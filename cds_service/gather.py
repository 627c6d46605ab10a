"""Gathers one patient's chart: prefetch first, then what is missing from FHIR, in parallel, inside one deadline.

What is large stays bytes until the chart is read (`cds_service/fhir/lazy_pages.py`)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import tzinfo
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from cds_service.fhir.client import Deadline, FhirClient, Read
from cds_service.fhir.lazy_pages import Page, packed
from cds_service.fhir.search import read_need
from cds_service.fhir.statements import STATEMENT, Statements, may_have, read_statements
from cds_service.prefetch import NOT_FHIR, Prefetched, completeness_of, error_of, issue_reason, read_prefetch
from hooks.wire import FhirAuthorization, HookRequest
from mappings.bundles import NotJsonError
from mappings.facts import NEEDS, Completeness, Need, Quarantined
from mappings.raw import RawChart, Resource
from mappings.reader import ChartReader
from mappings.reader.patient import REPLACED, is_replaced
from mappings.versions import Version

NO_ACCESS = "no FHIR access"
PART = "scope for a part only"
Grant = Literal["all", "part", "none"]
_TYPES: dict[Need, str] = {
    "patient": "Patient",
    "conditions": "Condition",
    "observations": "Observation",
    "diagnosticReports": "DiagnosticReport",
    "medications": "MedicationRequest",
    "allergies": "AllergyIntolerance",
    "procedures": "Procedure",
    "serviceRequests": "ServiceRequest",
}
_OF_RESULTS = re.compile(r"(?:patient|user|system)/Observation\.(?=\w*r)\w*s\w*\?category=(?:[^&,]*\|)?laboratory")
"""a SMART v2 scope of the category of laboratory results and nothing narrower."""
_UNKNOWN_PERSON = frozenset({404, 410})
_MANY = 250
"""resources of a prefetch that are not kept decoded while the rest is read from the server."""


class Gathered(Struct):
    """What came of a chart: `frame` is the chart without its resources; the `pages` among them are bytes still, each
    with the need that it was read for (None: the prefetch). `asked`: whether anything was to be read from a server."""

    frame: RawChart
    resources: list[Resource]
    pages: list[tuple[Need | None, Page]] = field(default_factory=list)
    asked: bool = False
    reader: ChartReader | None = None
    """who will read the chart: what it knows already is not decoded."""

    @property
    def count(self) -> int:
        """How many resources came."""
        return len(self.resources) + sum(page.count for _, page in self.pages)

    def chart(self) -> RawChart:
        """The chart, decoded: once, nothing of it stays here. A page that only now turns out to be broken makes its
        need a partial one, or one that could not be read when it was the only page."""
        resources, pages = self.resources, self.pages
        self.resources, self.pages = [], []
        states, frame = dict(self.frame.completeness), self.frame
        look = self.reader.look(frame.patient_id, frame.version) if pages and self.reader is not None else None
        for need, page in pages:
            try:
                resources.extend(page.resources(look))
            except NotJsonError:
                alone = sum(other == need for other, _ in pages) == 1
                state = Completeness("unavailable" if alone else "partial", "not-json")
                states.update(dict.fromkeys(NEEDS if need is None else (need,), state))
        return replace(frame, resources=tuple(resources), completeness=states)


async def gather(
    request: HookRequest,
    *,
    client: FhirClient | None,
    deadline: Deadline,
    version: Version | None = None,
    zone: tzinfo | None = None,
) -> RawChart:
    """The chart as far as it could be read. Without a client only the prefetch is used; nothing raises.

    `version` and `zone`: the FHIR release and time zone of the hospital, as far as they are set; without a version the
    server's own word counts."""
    own = replace(request, prefetch=dict(request.prefetch or {}))
    return (await gather_lazily(own, client=client, deadline=deadline, version=version, zone=zone)).chart()


async def gather_lazily(
    request: HookRequest,
    *,
    client: FhirClient | None,
    deadline: Deadline,
    version: Version | None = None,
    zone: tzinfo | None = None,
    statements: bool = False,
) -> Gathered:
    """As `gather`, the chart still to be decoded. Empties the request's prefetch, so that nobody holds on to it until
    the answer is sent. `statements`: those of drugs are read beside a prefetch of the other medications too."""
    found = read_prefetch(request.prefetch)
    if isinstance(request.prefetch, dict):
        request.prefetch.clear()
    states = completeness_of(found)
    out = Gathered(RawChart(request.patient_id, ()), found.resources, reader=None if client is None else client.reader)
    refused = _refused(request) if client is not None else dict.fromkeys(NEEDS, NO_ACCESS)
    aliases: frozenset[str] = frozenset()
    if client is not None:
        beside = _reads_statements(request, client, found, always=statements)
        out.asked = bool(found.missing or found.next_urls or beside)
        aliases = await _from_server(request.patient_id, client, found, states, out, refused, beside, deadline)
        for need in _bounded(request, found):
            if need not in refused and states[need].state == "complete":
                states[need] = Completeness("partial", PART, need == "observations" and _gives_results(request))
    for need, why in refused.items():
        states[need] = _without_server(need, states.get(need), found, why)
    if version is None and client is not None:
        version = client.capability.version
    out.frame = RawChart(
        request.patient_id, (), states, tuple(found.quarantined), request.drafts, aliases, version, zone
    )
    return out


def settled(request: HookRequest, found: Prefetched, reads: bool) -> dict[Need, Completeness] | None:
    """The state of every need when the prefetch is all there is; None when something has to be read from the server.
    `reads`: whether the request lets us read there at all."""
    refused = _refused(request) if reads else dict.fromkeys(NEEDS, NO_ACCESS)
    if any(need not in refused for need in (*found.missing, *found.next_urls)):
        return None
    states = completeness_of(found)
    for need, why in refused.items():
        states[need] = _without_server(need, states.get(need), found, why)
    return states


def _without_server(need: Need, state: Completeness | None, found: Prefetched, why: str) -> Completeness:
    """What the prefetch left open stays open: keys that did not come, pages that can't be followed."""
    if state is None:
        return Completeness("unavailable", f"not in prefetch and {why}" if why == NO_ACCESS else why)
    reasons = [state.reason] if state.reason else []
    missing = found.missing.get(need, ())
    if missing and need in found.satisfied:
        reasons.append(f"not in prefetch: {', '.join(missing)}" + ("" if why == NO_ACCESS else f" ({why})"))
    if found.next_urls.get(need):
        reasons.append("page not followed" + ("" if why == NO_ACCESS else f" ({why})"))
    if not reasons or state.state == "unavailable":
        return state
    return Completeness("partial", "; ".join(reasons), need == "observations" and found.has_newest)


async def _from_server(
    patient_id: str,
    client: FhirClient,
    found: Prefetched,
    states: dict[Need, Completeness],
    out: Gathered,
    refused: Mapping[Need, str],
    beside: bool,
    deadline: Deadline,
) -> frozenset[str]:
    """Reads what the prefetch lacks and follows its pages, all at once, and statements of drugs `beside` them. Gives
    the ids that the server redirected the patient to."""
    wanted = [need for need in NEEDS if need in found.missing and need not in refused]
    pages = [
        (need, url)
        for need, urls in found.next_urls.items()
        for url in urls
        if need not in refused and need not in found.missing
    ]
    if not (wanted or pages or beside):
        return frozenset()
    _lay_by(out)
    client = replace(client, late=True)
    reads = [read_need(client, need, patient_id, deadline) for need in wanted]
    follows = [client.follow(url, deadline) for _, url in pages]
    listed = read_statements(client, patient_id, deadline) if beside else _nothing()
    asking = asyncio.create_task(client.learn(deadline))
    try:
        statements, answers = await asyncio.gather(listed, asyncio.gather(*reads, *follows))
    finally:
        asking.cancel()  # done, or slower than the whole chart: then it is asked again another time
        await asyncio.wait([asking])
    for need, read in zip(wanted, answers, strict=False):
        _take(need, read, out, found)
        states[need] = _state(read, states.get(need), need == "observations" and found.has_newest)
    if all(one.get("resourceType") == "Patient" for one in out.resources) and not out.pages:
        states.update(_of_nobody(dict(zip(wanted, answers, strict=False))))
    for (need, _), page in zip(pages, answers[len(wanted) :], strict=True):
        _take(need, page, out, found)
        reason = page.failed or page.partial or issue_reason(tuple(page.issues))
        if reason:
            states[need] = Completeness("partial", f"page: {reason}", need == "observations" and found.has_newest)
    if statements is not None:
        _take("medications", statements.read, out, found)
        requests = dict(zip(wanted, answers, strict=False)).get("medications")
        told = statements.state(requests, states.get("medications"))
        if told is not None:
            states["medications"] = told
    return frozenset(
        str(patient["id"])
        for need, read in zip(wanted, answers, strict=False)
        if need == "patient" and read.redirected
        for patient in read.resources
        if patient.get("resourceType") == "Patient" and isinstance(patient.get("id"), str)
    )


def _reads_statements(request: HookRequest, client: FhirClient, found: Prefetched, *, always: bool) -> bool:
    """Whether statements are to be read too: with the medications that we read from the server, or `always`; where the
    token lets us, the server may have them, and the prefetch brought none. A prefetch of the medications is the
    client's word on them: only what is missing is read, unless the hospital says that its statements are not in it."""
    if not (always or "medications" in found.missing or "medications" in found.next_urls):
        return False
    token = request.authorization
    if token is not None and (
        token.patient not in (None, request.patient_id) or granted(token.scope, STATEMENT) == "none"
    ):
        return False
    return may_have(client) and all(one.get("resourceType") != STATEMENT for one in found.resources)


async def _nothing() -> Statements | None:
    return None


def _of_nobody(reads: Mapping[Need, Read]) -> dict[Need, Completeness]:
    """A server that does not know the patient (a wrong id, a record merged away) finds nothing whatever it is asked,
    which is no word about this patient."""
    person = reads.get("patient")
    if person is None:
        return {}
    if any(map(is_replaced, person.resources)):
        reason = REPLACED
    elif person.status in _UNKNOWN_PERSON:
        reason = f"{person.status}: the server does not know this patient"
    else:
        return {}
    state = Completeness("unavailable", reason)
    return {need: state for need, read in reads.items() if read.failed is None and not read.count}


def _lay_by(out: Gathered) -> None:
    """Many resources of a prefetch wait for those of the server as bytes too."""
    page = packed(out.resources) if len(out.resources) > _MANY else None
    if page is not None:
        out.pages.append((None, page))
        out.resources.clear()


def _take(need: Need, read: Read, out: Gathered, found: Prefetched) -> None:
    out.resources.extend(read.resources)
    out.pages.extend((need, page) for page in read.pages)
    found.quarantined.extend(Quarantined(path, NOT_FHIR) for path in read.broken)


def _state(read: Read, before: Completeness | None, has_newest: bool) -> Completeness:
    """`has_newest`: whether the prefetch gave the newest of this need."""
    has_newest = has_newest or read.has_newest
    failed = read.failed
    if failed is None and not read.count:
        failed = error_of(read.issues) or (NOT_FHIR if read.broken else None)
    if failed is not None:
        if before is not None and before.state != "unavailable":
            return Completeness("partial", failed, has_newest)
        return Completeness("unavailable", failed)
    reason = read.partial or issue_reason(tuple(read.issues))
    return Completeness("partial", reason, has_newest) if reason else Completeness("complete")


def _refused(request: HookRequest) -> dict[Need, str]:
    """The needs that this token does not let us read, and why."""
    token = request.authorization
    if token is None:
        return {}
    if token.patient is not None and token.patient != request.patient_id:
        return dict.fromkeys(NEEDS, "token is for another patient")
    return {need: "scope" for need in NEEDS if _granted(token, need) == "none"}


def _bounded(request: HookRequest, found: Prefetched) -> list[Need]:
    """The needs of which the server may give a part only, and of which it was asked."""
    token = request.authorization
    return [need for need in found.missing if token is not None and _granted(token, need) == "part"]


def _granted(token: FhirAuthorization, need: Need) -> Grant:
    return granted(token.scope, _TYPES[need], search=need != "patient")


def _gives_results(request: HookRequest) -> bool:
    """Whether one of the filters of the token lets us read all laboratory results."""
    scopes = request.authorization.scope.split() if request.authorization is not None else ()
    return any(_OF_RESULTS.fullmatch(scope) for scope in scopes)


def granted(scopes: str, kind: str, *, search: bool = True) -> Grant:
    """How much of a type SMART scopes (v1 `patient/Observation.read`, v2 `patient/Observation.rs`) allow to read. A v2
    scope with a filter (`?category=…`) allows a part. No clinical scope at all is no refusal: the server then says so
    itself."""
    clinical = part = False
    for scope in scopes.split():
        level, slash, rest = scope.partition("/")
        if not slash or level not in ("patient", "user", "system"):
            continue
        clinical = True
        named, filtered, _ = rest.partition("?")
        of, _, access = named.partition(".")
        if of in (kind, "*") and (access in ("read", "*") or _v2(access, search)):
            if not filtered:
                return "all"
            part = True
    return "part" if part else "none" if clinical else "all"


def _v2(access: str, search: bool) -> bool:
    return set(access) <= set("cruds") and "r" in access and (not search or "s" in access)
