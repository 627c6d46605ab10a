"""A server that refuses MedicationStatement has lost nothing; one that has it and fails at it has."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest

from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.outbound import Policy, open_client
from cds_service.gather import gather
from hooks.wire import HookRequest
from mappings.facts import Completeness
from mappings.raw import RawChart
from tests.faults.server import PATIENT, Server, bundle, fhir, outcome

KIND = "MedicationStatement"
STATED = {
    "resourceType": KIND,
    "id": "s1",
    "status": "active",
    "subject": {"reference": f"Patient/{PATIENT}"},
    "medicationCodeableConcept": {"text": "Metoprolol"},
}
ORDERED = {**STATED, "resourceType": "MedicationRequest", "id": "r1", "intent": "order"}
COMPLETE = Completeness("complete")
REFUSALS = {
    **{str(status): fhir(outcome("not-found"), status) for status in (400, 404, 405, 406, 422, 501)},
    "404 of a gateway": (404, {"Content-Type": "text/html"}, b"<html>no</html>"),
    "500 not-supported": fhir(outcome("not-supported"), 500),
    "200 not-supported": fhir(outcome("not-supported")),
    "200 not-supported in a Bundle": fhir(bundle(outcome("not-supported"))),
}
OF_TOKEN = {str(status): fhir(outcome("forbidden"), status) for status in (401, 403)}
FAILURES = {
    "500": (500, {"Content-Type": "text/plain"}, b"oops"),
    "503": fhir(outcome("throttled"), 503),
    "truncated": "truncated",
    "timeout": "hang",
}


def lists(*kinds: str, interactions: tuple[str, ...] = ("read", "search-type")) -> Any:
    offered = [{"code": code} for code in interactions]
    resources = [{"type": kind, "interaction": offered} for kind in ("MedicationRequest", *kinds)]
    rest = [{"mode": "server", "resource": resources}]
    return fhir({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": rest})


async def _charts(server: Server, times: int, milliseconds: int) -> list[RawChart]:
    policy = Policy(open_loopback=True)
    async with open_client(policy) as http:
        found = []
        for _ in range(times):
            hook = HookRequest("patient-view", "i", PATIENT, None, None, {}, fhir_server=server.base)
            client = FhirClient(http, policy, server.base)
            found.append(await gather(hook, client=client, deadline=Deadline.after(milliseconds)))
        return found


def run(answers: dict[str, Any], times: int = 1, milliseconds: int = 1500) -> tuple[RawChart, int]:
    """The last of so many charts, and how often statements were searched for."""

    async def go() -> tuple[RawChart, int]:
        async with Server() as server:
            server.answers = {kind: lambda *_, value=value: value for kind, value in answers.items()}
            charts = await _charts(server, times, milliseconds)
            paths = [urlsplit(target).path for target, _ in server.requests]
            return charts[-1], sum(path.endswith(KIND) for path in paths)

    return asyncio.run(go())


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_no_loss_and_is_not_asked_for_again(name: str) -> None:
    once, first = run({KIND: REFUSALS[name]})
    chart, asked = run({KIND: REFUSALS[name]}, times=3)
    assert (once.completeness["medications"], once.quarantined) == (COMPLETE, ())
    assert (chart.completeness["medications"], chart.quarantined) == (COMPLETE, ())
    assert asked == first <= 3
    assert run({KIND: REFUSALS[name], "metadata": lists(KIND)})[0].completeness["medications"] == COMPLETE


@pytest.mark.parametrize("name", OF_TOKEN)
def test_a_token_that_may_not_is_no_loss_and_another_may(name: str) -> None:
    chart, asked = run({KIND: OF_TOKEN[name]}, times=2)
    assert (chart.completeness["medications"], asked) == (COMPLETE, 2)


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_told_only_of_a_server_that_has_the_type(name: str) -> None:
    """What was never promised is not missing; and a search that only costs time is not asked for again."""
    limit = 400 if name == "timeout" else 1500
    listed, _ = run({KIND: FAILURES[name], "metadata": lists(KIND)}, milliseconds=limit)
    assert listed.completeness["medications"] == Completeness("partial", f"medication statements: {name}")
    chart, asked = run({KIND: FAILURES[name], "metadata": fhir(outcome("exception"), 500)}, 2, milliseconds=limit)
    assert (chart.completeness["medications"], chart.quarantined, asked) == (COMPLETE, (), 1)


def test_a_server_that_has_answered_before_is_one_that_has_the_type() -> None:
    answers = [fhir(bundle(STATED)), FAILURES["500"]]

    async def go() -> list[RawChart]:
        async with Server() as server:
            server.answers = {KIND: lambda *_: answers.pop(0)}
            return await _charts(server, 2, 1500)

    first, second = asyncio.run(go())
    assert first.completeness["medications"] == COMPLETE
    assert second.completeness["medications"] == Completeness("partial", "medication statements: 500")


def test_a_type_that_can_be_read_but_not_searched_is_not_searched_for() -> None:
    offered = lists(KIND, interactions=("read",))
    assert run({"metadata": offered}, times=2)[1] == 1, "once, while it was not known yet"


def test_where_there_are_statements_only_they_are_the_list_of_drugs() -> None:
    unknown = fhir(outcome("not-supported"), 404)
    for stated in ((), (STATED,)):
        chart, _ = run({"MedicationRequest": unknown, KIND: fhir(bundle(*stated))})
        assert chart.completeness["medications"] == COMPLETE
    plain, _ = run({"MedicationRequest": fhir(outcome("not-found"), 404), KIND: fhir(bundle())})
    assert plain.completeness["medications"] == Completeness("unavailable", "404"), "nothing says that there are none"
    failed, _ = run({"MedicationRequest": FAILURES["500"], KIND: fhir(bundle(STATED))})
    assert failed.completeness["medications"] == Completeness("partial", "500")
    neither, _ = run({"MedicationRequest": unknown, KIND: unknown})
    assert neither.completeness["medications"] == Completeness("unavailable", "not supported by server")


def test_statements_that_are_not_all_there_are_told() -> None:
    cut = bundle(STATED, next_url="https://elsewhere.example.org/fhir/MedicationStatement?page=2")
    chart, _ = run({"MedicationRequest": fhir(bundle(ORDERED)), KIND: fhir(cut)})
    reason = "medication statements: page link of another server"
    assert chart.completeness["medications"] == Completeness("partial", reason)
    assert sorted(one["id"] for one in chart.resources) == ["r1", "s1"]
    withheld, _ = run({KIND: fhir(bundle(STATED, outcome("suppressed", "warning", "59205")))})
    assert withheld.completeness["medications"] == Completeness("partial", "medication statements: withheld")


def test_a_server_that_answers_every_search_alike_brings_nothing_new() -> None:
    chart, _ = run({KIND: fhir(bundle(ORDERED)), "MedicationRequest": fhir(bundle(ORDERED))})
    assert [one["id"] for one in chart.resources] == ["r1"]
    assert chart.completeness["medications"] == COMPLETE
