"""A misbehaving FHIR server: every fault becomes a reason, the rest of the chart is read, nothing hangs or raises."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.outbound import Policy, open_client
from cds_service.gather import gather
from cds_service.prefetch import NEEDS_OF
from cds_service.reasons import reason_code
from hooks.wire import FhirAuthorization, HookRequest
from mappings.facts import Completeness
from mappings.raw import RawChart
from tests.faults.server import PATIENT, Answer, Server, bundle, fhir, observation, outcome


async def read(server: Server, *, milliseconds: int = 1500, **request: Any) -> RawChart:
    hook = HookRequest("patient-view", "i", PATIENT, None, None, {}, fhir_server=server.base, **request)
    policy = Policy(open_loopback=True)
    async with open_client(policy) as http:
        token = hook.authorization.access_token if hook.authorization else None
        client = FhirClient(http, policy, server.base, token)
        return await gather(hook, client=client, deadline=Deadline.after(milliseconds))


def run(answers: dict[str, Any], **how: Any) -> tuple[RawChart, Server]:
    async def go() -> tuple[RawChart, Server]:
        async with Server() as server:
            server.answers = {
                kind: (value if callable(value) else lambda *_, value=value: value) for kind, value in answers.items()
            }
            return await read(server, **how), server

    return asyncio.run(go())


FAULTS = {
    "401": fhir(outcome("login"), 401),
    "403": fhir(outcome("forbidden"), 403),
    "404": fhir(outcome("not-found"), 404),
    "500": (500, {"Content-Type": "text/plain"}, b"oops"),
    "503": fhir(outcome("throttled"), 503),
    "429": fhir(outcome("throttled"), 429),
    "not-json": (200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"),
    "operation-outcome": fhir(outcome("exception")),
    "truncated": "truncated",
    "not-fhir": fhir({"hello": "world"}),
}


@pytest.mark.parametrize("reason", FAULTS)
def test_one_type_fails_and_the_others_are_read(reason: str) -> None:
    chart, _ = run({"Condition": FAULTS[reason], "Observation": fhir(bundle(observation("o1")))})
    assert (chart.completeness["conditions"].state, chart.completeness["conditions"].reason) == ("unavailable", reason)
    assert chart.completeness["observations"].state == "complete"
    assert [r["id"] for r in chart.resources if r["resourceType"] == "Observation"] == ["o1"]


PRACTITIONER = {"resourceType": "Practitioner", "id": "x"}
CONDITION = {"resourceType": "Condition", "id": "c1", "subject": {"reference": f"Patient/{PATIENT}"}}


LARGE = {"resourceType": "Procedure", "id": "e", "status": "completed", "note": [{"text": "x" * 3000}]}
"""as a page of these an answer is left as bytes until the chart is read"""


@pytest.mark.parametrize("strange", [PRACTITIONER, bundle(PRACTITIONER), bundle(LARGE)])
@pytest.mark.parametrize("kind", ["Patient", "Condition", "Observation", "MedicationRequest"])
def test_an_answer_of_other_types_alone_is_no_answer(kind: str, strange: dict[str, Any]) -> None:
    chart, _ = run({kind: fhir(strange)})
    assert chart.completeness[NEEDS_OF[kind]] == Completeness("unavailable", "wrong resource type")
    assert chart.resources == ()


def test_other_types_beside_the_right_one_are_no_loss() -> None:
    chart, _ = run({"Observation": fhir(bundle(observation("o1"), PRACTITIONER))})
    assert chart.completeness["observations"] == Completeness("complete")


@pytest.mark.parametrize("status", [404, 410])
def test_a_server_that_does_not_know_the_patient_gives_no_word_about_them(status: int) -> None:
    """A wrong id, or a record merged away: every search is answered, and with nothing."""
    unknown = fhir(outcome("not-found"), status)
    chart, _ = run({"Patient": unknown})
    assert {state.state for state in chart.completeness.values()} == {"unavailable"}
    assert chart.completeness["conditions"].reason == f"{status}: the server does not know this patient"
    assert reason_code(chart.completeness["conditions"].reason) == f"http-{status}"
    chart, _ = run({"Patient": unknown, "Observation": fhir(bundle(observation("o1")))})
    assert chart.completeness["conditions"] == Completeness("complete"), "a server without this resource alone"
    chart, _ = run({"Patient": unknown}, prefetch={"conditions": bundle(CONDITION)})
    assert chart.completeness["observations"] == Completeness("complete")


def test_reset_connection_is_a_reason() -> None:
    chart, _ = run({"Condition": lambda *_: None})
    assert chart.completeness["conditions"].reason in ("truncated", "connection")


def test_a_connection_lost_once_is_tried_again() -> None:
    """A server closes an idle connection in the moment in which the next request goes out on it."""
    calls = []

    def closes_once(*_: Any) -> Answer | None:
        calls.append(1)
        return None if len(calls) == 1 else fhir(bundle({"resourceType": "Condition", "id": "c1"}))

    chart, _ = run({"Condition": closes_once})
    assert chart.completeness["conditions"].state == "complete"
    assert len(calls) == 2


def test_a_hanging_server_costs_the_deadline_and_no_more() -> None:
    begun = time.monotonic()
    chart, _ = run({"Observation": lambda *_: "hang"}, milliseconds=1500)
    assert time.monotonic() - begun < 20  # the server hangs for 30
    assert chart.completeness["observations"].reason == "timeout"
    assert chart.completeness["conditions"].state == "complete"


def test_retry_after_is_waited_for_when_it_fits() -> None:
    calls = []

    def busy(*_: Any) -> Answer:
        calls.append(1)
        return (
            fhir(outcome("throttled"), 429, **{"Retry-After": "0"})
            if len(calls) == 1
            else fhir(bundle(observation("o1")))
        )

    chart, _ = run({"Observation": busy})
    assert chart.completeness["observations"].state == "complete"
    assert len(calls) == 2


def test_retry_after_beyond_the_deadline_is_not_waited_for() -> None:
    begun = time.monotonic()
    chart, _ = run({"Observation": fhir(outcome("throttled"), 429, **{"Retry-After": "120"})})
    assert time.monotonic() - begun < 60
    assert chart.completeness["observations"].reason == "429"


def test_pages_are_followed_and_an_empty_one_is_not_the_end() -> None:
    def pages(_: str, query: dict[str, list[str]]) -> Answer:
        page = int(query.get("page", ["1"])[0])
        entries = {1: [observation("o1")], 2: [], 3: [observation("o3")]}[page]
        base = f"{server_base[0]}/Observation?page={page + 1}"
        return fhir(bundle(*entries, next_url=base if page < 3 else None))

    server_base: list[str] = []

    async def go() -> RawChart:
        async with Server() as server:
            server_base.append(server.base)
            server.answers = {"Observation": pages}
            return await read(server)

    chart = asyncio.run(go())
    assert sorted(r["id"] for r in chart.resources) == ["o1", "o3"]
    assert chart.completeness["observations"].state == "complete"


@pytest.mark.parametrize(
    ("next_url", "reason"),
    [
        ("http://evil.example.org/fhir/Observation?page=2", "page link of another server"),
        ("{base}/Observation?loop=1", "page loop"),
    ],
)
def test_bad_page_links_are_not_followed(next_url: str, reason: str) -> None:
    async def go() -> RawChart:
        async with Server() as server:
            url = next_url.replace("{base}", server.base)
            server.answers = {"Observation": lambda *_: fhir(bundle(observation("o1"), next_url=url))}
            return await read(server)

    chart = asyncio.run(go())
    assert chart.completeness["observations"].state == "partial"
    assert reason in (chart.completeness["observations"].reason or "")
    assert {r["id"] for r in chart.resources} == {"o1"}, "it is asked for by its code too"


def test_a_server_that_demands_a_category_is_asked_by_category_and_code() -> None:
    def epic(_: str, query: dict[str, list[str]]) -> Answer:
        if "category" not in query and "code" not in query:
            return fhir(outcome("required"), 400)
        if query.get("category") == ["laboratory"]:
            return fhir(bundle(observation("lab"), outcome("informational", "warning", "4119")))
        return fhir(bundle())

    chart, server = run({"Observation": epic})
    assert [r["id"] for r in chart.resources] == ["lab"]
    assert chart.completeness["observations"].state == "complete"
    assert any("code=http" in target for target, _ in server.requests)


def test_withheld_rows_make_it_partial() -> None:
    chart, _ = run({"MedicationRequest": fhir(bundle(outcome("suppressed", "warning", "59205")))})
    assert (chart.completeness["medications"].state, chart.completeness["medications"].reason) == (
        "partial",
        "withheld",
    )


def token(**changes: Any) -> FhirAuthorization:
    return FhirAuthorization(
        **{"access_token": "secret-token", "scope": "patient/*.read", "patient": PATIENT} | changes
    )


def test_the_token_goes_with_every_call_and_is_never_shown() -> None:
    _, server = run({}, authorization=token())
    assert {headers.get("authorization") for _, headers in server.requests} == {"Bearer secret-token"}
    assert "secret-token" not in repr(token())


def test_missing_scope_skips_the_query() -> None:
    chart, server = run({}, authorization=token(scope="patient/Condition.rs patient/Observation.read openid"))
    kinds = {urlsplit(target).path.split("/")[2] for target, _ in server.requests}
    assert kinds - {"metadata"} == {"Condition", "Observation"}
    assert chart.completeness["medications"].reason == "scope"


def test_a_scope_with_a_filter_is_asked_and_is_never_the_whole() -> None:
    scope = "patient/Condition.rs?category=problem-list-item patient/Observation.rs?category=laboratory patient/*.rs"
    asked, server = run({}, authorization=token(scope=scope.removesuffix(" patient/*.rs")))
    states = {need: asked.completeness[need] for need in ("conditions", "observations")}
    assert {(state.state, state.reason) for state in states.values()} == {("partial", "scope for a part only")}
    kinds = {urlsplit(target).path.split("/")[2] for target, _ in server.requests}
    assert kinds - {"metadata"} == {"Condition", "Observation"}
    assert asked.completeness["medications"] == Completeness("unavailable", "scope")
    assert {state.state for state in run({}, authorization=token(scope=scope))[0].completeness.values()} == {"complete"}
    elsewhere, server = run({}, authorization=token(scope="patient/Condition.rs?category=x", patient="someone-else"))
    assert (server.requests, elsewhere.completeness["conditions"].state) == ([], "unavailable")


def test_a_token_for_another_patient_reads_nothing() -> None:
    chart, server = run({}, authorization=token(patient="someone-else"))
    assert server.requests == []
    assert chart.completeness["conditions"].state == "unavailable"


def test_a_complete_prefetch_needs_no_call() -> None:
    from hooks.services import PREFETCH

    chart, server = run({}, prefetch=dict.fromkeys(PREFETCH))
    assert server.requests == []
    assert {state.state for state in chart.completeness.values()} == {"complete"}


def test_only_the_missing_keys_are_read() -> None:
    from hooks.services import PREFETCH

    prefetch = {key: None for key, (need, _) in PREFETCH.items() if need != "allergies"}
    _, server = run({}, prefetch=prefetch)
    assert {urlsplit(target).path for target, _ in server.requests} - {"/fhir/metadata"} == {"/fhir/AllergyIntolerance"}
