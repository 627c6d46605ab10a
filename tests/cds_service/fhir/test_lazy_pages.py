"""Large answers wait as bytes: the chart is the same, a broken one is named, and decoded charts do not pile up."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest

from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.lazy_pages import Page, packed, page_of
from cds_service.fhir.outbound import Policy, open_client
from cds_service.gather import Gathered, gather_lazily
from hooks.wire import HookRequest
from mappings.bundles import NotJsonError, decode, unpack
from mappings.reader import ChartReader
from tests.faults.server import PATIENT, Answer, Server, bundle, fhir, observation, outcome

_HUGE = "1e99999999999999999999"
"""a number that only the exact decoder refuses."""


def sodium(number: int, value: str = "139.50") -> dict[str, Any]:
    coded = {"coding": [{"system": "http://loinc.org", "code": "2951-2", "display": "Sodium"}]}
    return observation(f"o{number}") | {"code": coded, "valueQuantity": {"value": value, "unit": "mmol/L"}}


def page(*resources: dict[str, Any], value: str = "139.50", **more: Any) -> bytes:
    body = json.dumps(bundle(*(resources or map(sodium, range(200)))) | more, ensure_ascii=False)
    return body.replace('"139.50"', value).encode()


def test_a_large_page_of_plain_resources_is_left_in_bytes() -> None:
    body = page(link=[{"relation": "self", "url": "a"}, {"relation": "next", "url": "b"}])
    found = page_of(body)
    assert found is not None
    assert (found.count, found.next_url) == (200, "b")
    assert found.resources() == [r for _, r in unpack(decode(body)).resources]
    assert found.resources()[0]["valueQuantity"]["value"] == Decimal("139.50")


@pytest.mark.parametrize(
    "body",
    [
        page(sodium(1)),
        page(*map(sodium, range(200)), bundle(sodium(201))),
        page(*map(sodium, range(200)), {"resourceType": "MedicationRequest", "medicationReference": {}}),
        page(*map(sodium, range(200)), {"id": "no type"}),
        page(resourceType="Parameters"),
        page().replace(b'"resourceType"', b'"type"', 1),
        page(link=[{"relation": "next"}]),
        page(id="ä").replace("ä".encode(), b"\xe4"),
        b"\xef\xbb\xbf" + page(),
        page()[:-10],
        b"[" * 20_000,
    ],
    ids=["small", "nested", "lookup", "untyped", "other", "none", "link", "latin-1", "bom", "cut", "deep"],
)
def test_whatever_else_is_decoded_at_once(body: bytes) -> None:
    assert page_of(body) is None


def test_what_a_server_says_beside_the_resources_is_heard_at_once() -> None:
    body = page(
        *map(sodium, range(200)), outcome("suppressed", "warning", "59204"), outcome("informational", "warning")
    )
    found = page_of(body)
    assert found is not None
    unpacked = unpack(decode(body))
    assert (found.count, found.issues) == (200, unpacked.issues)
    assert found.resources() == [r for _, r in unpacked.resources]
    state = gathered({"Observation": answer(body)})[0].chart().completeness["observations"]
    assert (state.state, state.reason) == ("partial", "withheld")


def test_what_was_decoded_is_packed_without_a_change() -> None:
    text = '{"id":"a","n":[1.50,1E+2,-0.0,7,123456789012345678901234567890,0.1e-7,null,true],"s":"ä\\ud83d\\ude00\\n"}'
    resource = {"resourceType": "Observation"} | decode(text.encode())
    found = packed([resource])
    assert found is not None
    (again,) = found.resources()
    assert again == resource
    assert [str(n) for n in again["n"]] == [str(n) for n in resource["n"]]


def gathered(
    answers: dict[str, Any], reader: ChartReader | None = None, **request: Any
) -> tuple[Gathered, HookRequest]:
    async def go() -> tuple[Gathered, HookRequest]:
        async with Server() as server:
            server.answers = {kind: lambda *_, body=body: body for kind, body in answers.items()}
            hook = HookRequest("patient-view", "i", PATIENT, None, None, {}, fhir_server=server.base, **request)
            policy = Policy(open_loopback=True)
            async with open_client(policy) as http:
                client = FhirClient(http, policy, server.base, reader=reader)
                return await gather_lazily(hook, client=client, deadline=Deadline.after(20_000)), hook

    return asyncio.run(go())


def test_the_chart_is_whole_and_can_be_had_once() -> None:
    sent = {"conditions": bundle(*({"resourceType": "Condition", "id": f"c{n}"} for n in range(300)))}
    found, hook = gathered({"Observation": answer(page()), "Procedure": fhir(bundle())}, prefetch=sent)
    assert [p.count for _, p in found.pages] == [300, 200]
    assert not found.resources
    assert not hook.prefetch, "else the request would hold what was sent until it is answered"
    assert found.count == 500
    chart = found.chart()
    assert {r["id"] for r in chart.resources} == {f"c{n}" for n in range(300)} | {f"o{n}" for n in range(200)}
    assert {state.state for state in chart.completeness.values()} == {"complete"}
    assert not found.count


def test_a_page_that_is_broken_after_all_is_named() -> None:
    broken = answer(page(value=_HUGE))
    with pytest.raises(NotJsonError):
        Page(broken[2], 200).resources()
    others = page().replace(b'"Observation"', b'"Condition"')
    chart = gathered({"Observation": broken, "Condition": answer(others)})[0].chart()
    state = chart.completeness["observations"]
    assert (state.state, state.reason) == ("unavailable", "not-json")
    assert chart.completeness["conditions"].state == "complete"
    found, _ = gathered({"Observation": answer(page())})
    found.pages.append(("observations", Page(broken[2], 200)))
    chart = found.chart()
    assert chart.completeness["observations"].state == "partial"
    assert len(chart.resources) == 200


def test_a_chart_that_waits_takes_no_more_room_than_its_bytes() -> None:
    body = page(*map(sodium, range(600)))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        found, _ = gathered(
            {"Observation": answer(body)}, prefetch={"conditions": decode(page(*map(sodium, range(600))))}
        )
        held = tracemalloc.get_traced_memory()[0] - before
        chart = found.chart()
        decoded = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(chart.resources) == 1200
    assert decoded > 6 * len(body), "else this test shows nothing"
    assert held < 4 * len(body)


def answer(body: bytes) -> Answer:
    return 200, {"Content-Type": "application/fhir+json"}, body
