"""What a server says of itself: learned once, beside the chart, and never needed."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from cds_service.fhir import uncancelled
from cds_service.fhir.capability import Capabilities, Capability, read_capability
from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.outbound import OutboundClient, Policy, open_client
from cds_service.fhir.search import search_codes
from cds_service.gather import gather
from cds_service.sandbox.fhir_server import fhir_app
from cds_service.sandbox.store import Store
from hooks.wire import HookRequest
from mappings.raw import RawChart
from mappings.versions import Version
from tests.serving import listening

BASE = "https://ehr.example.org/fhir"
MODE = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-search-mode"


def statement(version: str = "3.0.2", mode: str | None = None) -> dict[str, Any]:
    rest: dict[str, Any] = {"mode": "server"}
    if mode:
        rest["extension"] = [{"url": MODE, "valueCode": mode}]
    return {"resourceType": "CapabilityStatement", "fhirVersion": version, "rest": [rest]}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (statement(), Capability("STU3", None)),
        (statement("4.0.1", "GET"), Capability("R4", posts=False)),
        (statement("5.0.0", "both"), Capability("R5", posts=True)),
        (statement("9.9"), Capability(None, None)),
        ({"resourceType": "CapabilityStatement", "rest": 5}, Capability(None, None)),
        ({"resourceType": "Patient"}, None),
        (None, None),
    ],
)
def test_capability_statements(body: Any, found: Capability | None) -> None:
    assert read_capability(body) == found


def test_a_server_is_asked_once_in_a_while_and_a_failure_forgets_nothing() -> None:
    now = [0.0]
    known = Capabilities(clock=lambda: now[0])
    assert known.due("a")
    known.learned("a", Capability("R4", None))
    known.refused_post("a")
    assert (known.due("a"), known.of("a"), known.due("b")) == (False, Capability("R4", posts=False), True)
    now[0] = 4000.0
    assert known.due("a")
    known.learned("a", None)
    assert (known.due("a"), known.of("a").version) == (False, "R4")


class Ehr:
    """Answers by path; counts."""

    def __init__(self, version: str, metadata_seconds: float = 0.0, status: int = 200) -> None:
        self.version, self.seconds, self.status = version, metadata_seconds, status
        self.asked: list[str] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        kind = request.url.path.rpartition("/")[2]
        self.asked.append(kind)
        if kind == "metadata":
            await asyncio.sleep(self.seconds)
            return httpx.Response(self.status, json=statement(self.version))
        await asyncio.sleep(0.01)
        return httpx.Response(200, json={"resourceType": "Bundle", "entry": []})


def charts(ehr: Ehr, times: int = 2, version: Version | None = None) -> list[RawChart]:
    async def go() -> list[RawChart]:
        async with OutboundClient(transport=httpx.MockTransport(ehr)) as http:
            client = FhirClient(http, Policy((BASE,)), BASE, version=version)
            request = HookRequest("patient-view", "i", "p", None, None, {}, fhir_server=BASE)
            found = [
                await gather(request, client=client, deadline=Deadline.after(2000), version=version)
                for _ in range(times)
            ]
            late = uncancelled._LATE  # calls that end by their own limits
            others = asyncio.all_tasks() - {asyncio.current_task()} - late
            assert not others, "a task outlived its chart"
            return found

    return asyncio.run(go())


def test_the_release_is_learned_beside_the_first_chart_and_chooses_the_searches() -> None:
    ehr = Ehr("3.0.2")
    assert [chart.version for chart in charts(ehr)] == ["STU3", "STU3"]
    assert ehr.asked.count("metadata") == 1
    assert ehr.asked.count("ProcedureRequest") == 1, "the second chart asks for the older type at once"


def test_a_slow_statement_is_never_waited_for() -> None:
    ehr = Ehr("3.0.2", metadata_seconds=5)
    assert [chart.version for chart in charts(ehr)] == [None, None]
    assert ehr.asked.count("metadata") == 1


def test_a_server_without_a_statement_is_read_all_the_same() -> None:
    found = charts(Ehr("3.0.2", status=500))
    assert {state.state for state in found[0].completeness.values()} == {"complete"}


def test_the_tenants_setting_saves_the_question() -> None:
    ehr = Ehr("3.0.2")
    assert [chart.version for chart in charts(ehr, version="R5")] == ["R5", "R5"]
    assert "metadata" not in ehr.asked


def test_two_hundred_codes_go_by_post_to_a_real_server_and_give_what_many_gets_give() -> None:
    store = Store()
    codes = tuple(f"{9000 + n}-{n % 10}" for n in range(200))
    store.load(
        {"resourceType": "Observation", "id": f"o{n}", "status": "final", "subject": {"reference": "Patient/p"}}
        | {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}}
        for n, code in enumerate((*codes, "1-8"))
    )

    class Counted:
        def __init__(self, app: Any, refuse: int | None) -> None:
            self.app, self.refuse, self.seen = app, refuse, []

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                self.seen.append((scope["method"], len(scope["query_string"])))
                if self.refuse and scope["method"] == "POST":
                    await send({"type": "http.response.start", "status": self.refuse, "headers": []})
                    await send({"type": "http.response.body", "body": b""})
                    return
            await self.app(scope, receive, send)

    async def ids(base: str, times: int = 1) -> set[str]:
        policy = Policy(open_loopback=True)
        async with open_client(policy) as http:
            client = FhirClient(http, policy, base)
            for _ in range(times):
                found = await search_codes(client, "Observation", [("patient", "p")], codes, Deadline.after(5000))
                assert (found.failed, found.partial) == (None, None)
            return {r["id"] for r in found.resources}

    posting, refusing = Counted(fhir_app(store), None), Counted(fhir_app(store), 405)
    with listening(posting) as base:
        by_post = asyncio.run(ids(base))
    with listening(refusing) as base:
        by_get = asyncio.run(ids(base, times=2))
    store.close()
    assert by_post == by_get == {f"o{n}" for n in range(200)}
    assert posting.seen[0] == ("POST", 0), "no patient and no code in the URL"
    assert [method for method, _ in refusing.seen].count("POST") == 1, "the refusal is remembered"
    assert max(length for _, length in refusing.seen) < 2500
