"""One server never gets more calls at once than it should, and waiting for a turn ends with the deadline."""

from __future__ import annotations

import asyncio

import httpx

from cds_service.fhir.client import Deadline, FhirClient, Read
from cds_service.fhir.outbound import OutboundClient, Policy
from cds_service.reasons import reason_code

BASES = ("https://one.example.org/fhir", "https://two.example.org/fhir")


class Server:
    def __init__(self, seconds: float) -> None:
        self.seconds, self.now, self.most = seconds, dict.fromkeys(BASES, 0), dict.fromkeys(BASES, 0)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        base = f"https://{request.url.host}/fhir"
        self.now[base] += 1
        self.most[base] = max(self.most[base], self.now[base])
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.now[base] -= 1
        return httpx.Response(200, json={"resourceType": "Bundle"})


def reads(server: Server, parallel: int, times: int, milliseconds: int = 5000) -> list[Read]:
    async def go() -> list[Read]:
        async with OutboundClient(parallel=parallel, transport=httpx.MockTransport(server)) as http:
            clients = [FhirClient(http, Policy(BASES), base) for base in BASES]
            deadline = Deadline.after(milliseconds)
            return await asyncio.gather(*(c.search("Condition", [], deadline) for c in clients for _ in range(times)))

    return asyncio.run(go())


def test_each_server_has_a_queue_of_its_own() -> None:
    server = Server(0.01)
    assert {r.failed for r in reads(server, parallel=3, times=12)} == {None}
    assert set(server.most.values()) == {3}


def test_no_turn_in_time_is_a_reason_of_its_own_and_no_fault_of_the_server() -> None:
    answers = reads(Server(0.3), parallel=1, times=3, milliseconds=150)
    assert {r.failed for r in answers} == {"timeout", "too many calls at once"}
    assert reason_code("too many calls at once") == "busy"
