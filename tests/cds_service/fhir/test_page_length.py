"""How long the pages are that a server is asked for: as long as it gives them, and shorter where that is too much."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from cds_service.fhir.capability import Capabilities
from cds_service.fhir.client import Deadline, FhirClient, Read
from cds_service.fhir.door import OutboundClient, Policy
from cds_service.fhir.search import read_need
from mappings.facts import Need
from tests.cds_service.fhir.test_search import BASE, found, outcome

Answering = Callable[[httpx.QueryParams], httpx.Response]


class Ehr:
    def __init__(self, answering: Answering) -> None:
        self.answering, self.asked = answering, list[httpx.QueryParams]()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.params)
        answer = self.answering(request.url.params)
        if answer.status_code == 599:
            await asyncio.sleep(1)
        return answer


def read(ehr: Ehr, need: Need = "observations", *, charts: int = 2, hours: float = 0) -> list[Read]:
    async def go() -> list[Read]:
        now = [0.0]
        async with OutboundClient(transport=httpx.MockTransport(ehr)) as http:
            http.capabilities = Capabilities(lambda: now[0])
            client = FhirClient(http, Policy((BASE,)), BASE)
            answers = []
            for _ in range(charts):
                ehr.asked.clear()
                answers.append(await read_need(client, need, "p", Deadline.after(200)))
                now[0] += 3600 * hours
            return answers

    return asyncio.run(go())


def counts(ehr: Ehr) -> list[str | None]:
    return [asked.get("_count") for asked in ehr.asked]


def test_a_server_that_gives_a_thousand_is_asked_once() -> None:
    ehr = Ehr(lambda _: found("o1"))
    read(ehr, charts=1)
    assert counts(ehr) == ["1000"]
    read(ehr, "diagnosticReports", charts=1)
    assert counts(ehr) == ["100"], "reports are large"


@pytest.mark.parametrize(
    ("refused", "first", "then"),
    [
        (lambda p: "_sort" in p or int(p.get("_count", 0)) > 200, ["1000", "200"], ["200"]),
        (lambda p: int(p.get("_count", 0)) > 100, ["1000", "200", None], [None]),
        (lambda p: "_sort" in p, ["1000", "200"], ["200"]),
    ],
    ids=["no order, pages of 200", "pages of 100", "no order"],
)
def test_a_server_that_refuses_long_pages_is_asked_for_the_next_shorter(
    refused: Callable[[httpx.QueryParams], bool], first: list[str | None], then: list[str | None]
) -> None:
    ehr = Ehr(lambda p: outcome(400, "invalid") if refused(p) else found("o1"))
    (answer,) = read(ehr, charts=1)
    assert (answer.count, answer.partial, counts(ehr)) == (1, None, first)
    read(ehr)
    assert counts(ehr) == then


def test_pages_that_take_too_long_are_asked_for_shorter_for_an_hour() -> None:
    ehr = Ehr(lambda p: httpx.Response(599) if p["_count"] == "1000" else found("o1"))
    late, short = read(ehr)
    assert (late.failed, short.failed, counts(ehr)) == ("timeout", None, ["200"])
    assert ehr.asked[0]["_sort"] == "-date"
    assert [answer.failed for answer in read(ehr, charts=3, hours=0.6)] == ["timeout", None, "timeout"]


def test_a_category_that_is_not_known_is_asked_once_where_the_length_is_no_matter() -> None:
    def answering(parameters: httpx.QueryParams) -> httpx.Response:
        if "code" in parameters or parameters.get("category") == "laboratory":
            return found("o1")
        return outcome(400, "invalid" if "category" in parameters else "required")

    ehr = Ehr(answering)
    first, second = read(ehr)
    assert (first.partial, first.failed) == (second.partial, second.failed) == (None, None)
    assert {asked.get("category") for asked in ehr.asked} >= {"laboratory", "survey"}
    assert set(counts(ehr)) <= {"1000", "200"}
    assert len([asked for asked in ehr.asked if asked.get("category") == "survey"]) == 1


def test_a_server_that_refuses_any_length_of_a_category_is_asked_without_the_next_time() -> None:
    def answering(parameters: httpx.QueryParams) -> httpx.Response:
        if "category" not in parameters:
            return outcome(400, "required")
        return outcome(400, "invalid") if "_count" in parameters else found("o1")

    ehr = Ehr(answering)
    read(ehr)
    assert set(counts(ehr)[-7:]) == {None}
    assert len([asked for asked in ehr.asked if asked.get("category") == "survey"]) == 1
