"""The same chart on servers of different manners, over real sockets: the same facts everywhere, and as by prefetch."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import orjson
import pytest
from msgspec.structs import replace

from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.outbound import OutboundClient, Policy, open_client
from cds_service.gather import gather
from cds_service.sandbox.cases import published_cases
from cds_service.sandbox.store import Store
from hooks.services import PREFETCH
from hooks.wire import FhirAuthorization, HookRequest
from mappings.bundles import decode
from mappings.facts import PatientFacts
from mappings.raw import RawChart
from tests.charts import TODAY
from tests.ehr import Ehr
from tests.faults.more_vendors import MORE_VENDORS
from tests.faults.vendors import VENDORS, Resource, Vendor
from tests.serving import listening
from tests.spec.harness import reader

TOKEN = "vendor-token"
CASES = ("lopez2017-imaging", "thakur-2-labs")


@cache
def resources_of(case: str) -> list[Resource]:
    """A published case as it travels: plain JSON; one drug by reference, which some servers do not include, and more
    results than one page holds."""
    chart = next(s for s in published_cases() if s.id == case).build(TODAY)
    plain = json.loads(msgspec.json.Encoder(decimal_format="number").encode(chart.resources))
    patient = next(r["id"] for r in plain if r["resourceType"] == "Patient")
    drug = {"resourceType": "Medication", "id": "drug", "code": {"text": "Warfarin 5 mg"}}
    request = {"resourceType": "MedicationRequest", "id": "by-reference", "status": "active", "intent": "order"}
    request |= {"subject": {"reference": f"Patient/{patient}"}, "medicationReference": {"reference": "Medication/drug"}}
    store = Store()  # stamps what it keeps, as every server does
    store.load([*plain, drug, request])
    kept = [json.loads(store.bodies(r["resourceType"], [r["id"]])[0]) for r in (*plain, drug, request)]
    store.close()
    return kept


def patient_of(resources: list[Resource]) -> str:
    return next(r["id"] for r in resources if r["resourceType"] == "Patient")


async def read(base: str, patient: str, http: OutboundClient, milliseconds: int = 8000) -> RawChart:
    token = FhirAuthorization(access_token=TOKEN, scope="user/*.read", patient=None)
    request = HookRequest("patient-view", "i", patient, None, None, {}, fhir_server=base, authorization=token)
    client = FhirClient(http, Policy(open_loopback=True), base, TOKEN)
    return await gather(request, client=client, deadline=Deadline.after(milliseconds))


def from_server(vendor: Vendor, patient: str, times: int = 1) -> list[RawChart]:
    async def go(base: str) -> list[RawChart]:
        async with open_client(Policy(open_loopback=True)) as http:
            return [await read(base, patient, http) for _ in range(times)]

    with listening(vendor) as base:
        return asyncio.run(go(base))


def from_prefetch(resources: list[Resource], patient: str) -> RawChart:
    store = Store()
    store.load(resources)

    class NoService:
        def get(self, _: str) -> Any:
            templates = {key: template for key, (_, template) in PREFETCH.items()}
            body = {"services": [{"id": "calcinosis-patient-view", "prefetch": templates}]}
            return type("Answer", (), {"status_code": 200, "json": lambda self: body, "text": ""})()

    ehr = Ehr(NoService(), store)
    sent = {
        key: decode(orjson.dumps(ehr.resolve(template, {"patientId": patient})))
        for key, (_, template) in PREFETCH.items()
    }
    drug = next(r for r in resources if r["resourceType"] == "Medication")
    sent["medications"]["entry"].append({"resource": drug, "search": {"mode": "include"}})
    store.close()
    request = HookRequest("patient-view", "i", patient, None, None, {}, prefetch=sent)
    return asyncio.run(gather(request, client=None, deadline=Deadline.after(1000)))


def facts_of(chart: RawChart) -> PatientFacts:
    """Without what a server may add of its own: rows in error, which are named."""
    facts = reader().read(chart)
    named = tuple(q for q in facts.quarantined if not q.reference.endswith("/in-error"))
    return replace(facts, quarantined=named)


@pytest.mark.parametrize("case", CASES)
def test_the_facts_are_the_same_on_every_server_and_by_prefetch(case: str) -> None:
    resources = resources_of(case)
    patient = patient_of(resources)
    expected = facts_of(from_prefetch(resources, patient))
    assert len(expected.results) + len(expected.lesions) > 2
    assert "warfarin" in {d for m in expected.medications for d in m.drugs}
    for name, vendor in (VENDORS | MORE_VENDORS).items():
        (chart,) = from_server(vendor(resources, token=TOKEN), patient)
        found = facts_of(chart)
        assert {need: c.state for need, c in found.completeness.items()} == dict.fromkeys(
            expected.completeness, "complete"
        ), (name, found.completeness)
        assert replace(found, completeness={}) == replace(expected, completeness={}), name


@pytest.mark.parametrize("name", VENDORS)
def test_what_a_server_refused_once_is_not_asked_again(name: str) -> None:
    resources = resources_of(CASES[0])
    vendor = VENDORS[name](resources, token=TOKEN, page_size=100)
    first, second = from_server(vendor, patient_of(resources), times=2)
    assert facts_of(first) == facts_of(second)
    half = [n for n, (_, path, _) in enumerate(vendor.asked) if path == f"/Patient/{patient_of(resources)}"][1]
    again = vendor.asked[half:]
    plain = [q for _, path, q in again if path == "/Observation" and "session=" not in q]
    if name in ("epic", "meditech", "system-blind"):
        assert all("category=" in q or "code=" in q for q in plain)
    if name in ("oracle", "meditech", "system-blind"):
        assert not any("_sort" in q or "_include" in q for _, _, q in again)


@pytest.mark.parametrize(("name", "code"), [("epic", "59204"), ("hapi", "59205"), ("meditech", "4130")])
def test_what_a_server_keeps_back_is_told(name: str, code: str) -> None:
    resources = resources_of(CASES[0])
    (chart,) = from_server(VENDORS[name](resources, token=TOKEN, withheld=code), patient_of(resources))
    told = {(c.state, c.reason) for need, c in chart.completeness.items() if need != "patient"}
    assert told == {("partial", "withheld")}


@pytest.mark.parametrize("name", ["epic", "hapi"])
def test_a_paging_session_that_expires_costs_nothing_but_a_second_try(name: str) -> None:
    resources = resources_of(CASES[0])
    vendor = VENDORS[name](resources, token=TOKEN, lose_sessions=1)
    (chart,) = from_server(vendor, patient_of(resources))
    assert {c.state for c in chart.completeness.values()} == {"complete"}
    whole = from_server(VENDORS[name](resources, token=TOKEN), patient_of(resources))[0]
    assert facts_of(chart) == facts_of(whole)


@pytest.mark.parametrize("name", ["epic", "oracle"])
def test_a_merged_patient_is_read_under_the_id_that_the_server_redirects_to(name: str) -> None:
    resources = resources_of(CASES[0])
    patient = patient_of(resources)
    vendor = VENDORS[name](resources, token=TOKEN, merged={"old-id": patient})
    (chart,) = from_server(vendor, "old-id")
    assert chart.aliases == {patient}
    found, expected = facts_of(chart), facts_of(from_server(VENDORS[name](resources, token=TOKEN), patient)[0])
    assert found.reference == "Patient/old-id"
    assert replace(found, reference=expected.reference) == expected


def test_without_a_redirect_another_patients_rows_stay_another_patients() -> None:
    resources = resources_of(CASES[0])
    vendor = VENDORS["hapi"](resources, token=TOKEN)
    vendor.merged = {}
    vendor._of = lambda resource, patient: True  # type: ignore[method-assign]  # a server that answers with strangers
    (chart,) = from_server(vendor, "somebody-else")
    facts = reader().read(chart)
    assert (facts.results, facts.lesions, facts.findings, facts.medications) == ((), (), (), ())
    assert {q.reason for q in facts.quarantined} >= {"belongs to another patient"}


@pytest.mark.parametrize("name", ["epic", "oracle"])
def test_a_refused_token_is_said_for_every_need(name: str) -> None:
    resources = resources_of(CASES[0])
    (chart,) = from_server(VENDORS[name](resources, token="another"), patient_of(resources))
    assert {(c.state, c.reason) for c in chart.completeness.values()} == {("unavailable", "401")}
    assert chart.resources == ()


def test_a_drug_that_can_not_be_looked_up_makes_the_medications_partial() -> None:
    resources = [r for r in resources_of(CASES[0]) if r["resourceType"] != "Medication"]
    (chart,) = from_server(VENDORS["epic"](resources, token=TOKEN), patient_of(resources))
    assert chart.completeness["medications"].state == "partial"
    assert chart.completeness["medications"].reason == "medication names: 404"


def test_a_server_that_takes_ten_seconds_costs_a_tenth_and_leaves_nothing_running() -> None:
    """A deadline of 100 ms is kept while every answer takes 10 s. Calls that nobody waits for any more go on
    (to cancel them loses connections) and end by their own limit, the deadline again: then nothing runs any more."""
    begun: list[float] = []
    over = threading.Event()

    async def slow(scope: Any, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] != "http":
            return
        begun.append(0)
        for _ in range(100):
            if over.is_set():
                return
            await asyncio.sleep(0.1)

    async def alone(until: float) -> bool:
        while len(asyncio.all_tasks()) > 1 and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.02)
        return len(asyncio.all_tasks()) == 1

    async def go(base: str) -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        async with open_client(Policy(open_loopback=True)) as http:
            start = loop.time()
            chart = await read(base, "p", http, milliseconds=100)
            took = loop.time() - start
            assert {c.state for c in chart.completeness.values()} == {"unavailable"}
            assert {c.reason for c in chart.completeness.values()} == {"timeout"}
            assert await alone(loop.time() + 2)
            reading = asyncio.create_task(read(base, "p", http, milliseconds=1000))
            await asyncio.sleep(0.2)
            reading.cancel()
            start = loop.time()
            with pytest.raises(asyncio.CancelledError):
                await reading
            took_to_cancel = loop.time() - start
            assert await alone(loop.time() + 4)
            return took, took_to_cancel

    with listening(slow) as base:
        took, cancelled = asyncio.run(go(base))
        over.set()
    assert took < 1.0
    assert cancelled < 1.0
    assert len(begun) >= 8
