"""Servers of different manners: what is asked next, and when an answer is not the whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from cds_service.fhir.client import Deadline, FhirClient, Read
from cds_service.fhir.outbound import OutboundClient, Policy
from cds_service.fhir.search import read_need
from mappings.facts import Need

BASE = "https://ehr.example.org/fhir"
Handler = Callable[[httpx.Request], httpx.Response]


def outcome(status: int, code: str) -> httpx.Response:
    return httpx.Response(
        status, json={"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}
    )


def found(*ids: str, kind: str = "Observation", next_url: str | None = None) -> httpx.Response:
    body: dict[str, Any] = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": kind, "id": i}} for i in ids],
    }
    if next_url:
        body["link"] = [{"relation": "next", "url": next_url}]
    return httpx.Response(200, json=body)


def read(handler: Handler, need: Need, times: int = 1) -> Read:
    async def go() -> Read:
        async with OutboundClient(transport=httpx.MockTransport(handler)) as http:
            client = FhirClient(http, Policy((BASE,)), BASE)
            for _ in range(times):
                answer = await read_need(client, need, "p", Deadline.after(2000))
            return answer

    return asyncio.run(go())


def test_laboratory_refused_by_category_and_by_code_is_never_complete() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return found("v1") if request.url.params.get("category") == "vital-signs" else outcome(400, "required")

    answer = read(handler, "observations")
    assert ([r["id"] for r in answer.resources], answer.failed, answer.partial) == (["v1"], None, "400")


def test_a_category_that_the_server_does_not_know_is_no_loss() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return found() if request.url.params.get("category") == "laboratory" else outcome(400, "required")

    assert (read(handler, "observations").failed, read(handler, "observations").partial) == (None, None)


def test_parameters_that_a_server_refuses_are_left_out() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        extra = [name for name in request.url.params if name.startswith("_")]
        return outcome(400, "invalid") if extra else found("m1", kind="MedicationRequest")

    assert [r["id"] for r in read(handler, "medications").resources] == ["m1"]


def test_an_older_server_is_asked_for_procedure_requests() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/ServiceRequest"):
            return outcome(404, "not-supported")
        return found("r1", kind="ProcedureRequest")

    assert [r["id"] for r in read(handler, "serviceRequests").resources] == ["r1"]


def test_a_type_that_the_server_does_not_have_is_said_to_be_so() -> None:
    assert read(lambda _: outcome(404, "not-supported"), "procedures").failed == "not supported by server"


def test_a_lost_paging_session_is_begun_again_once() -> None:
    lost = [True]

    def handler(request: httpx.Request) -> httpx.Response:
        if "page" not in request.url.params:
            return found("o1", next_url="Observation?page=2")
        return outcome(410, "expired") if lost and lost.pop() else found("o2")

    answer = read(handler, "observations")
    assert ([r["id"] for r in answer.resources], answer.partial) == (["o1", "o2"], None)


def test_a_server_that_keeps_failing_is_left_alone() -> None:
    calls: list[int] = []

    def handler(_: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(500, text="oops")

    answer = read(handler, "conditions", times=30)
    assert answer.failed == "server left alone after failures"
    assert len(calls) == 16
