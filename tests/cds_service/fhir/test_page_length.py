"""How long the pages are that a server is asked for: as long as it gives them, and shorter where that is too much."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx
import pytest

from cds_service.fhir.capability import Capabilities
from cds_service.fhir.client import Deadline, FhirClient, Read
from cds_service.fhir.outbound import OutboundClient, Policy
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
            await asyncio.sleep(60)
        return answer


def read(
    ehr: Ehr, need: Need = "observations", *, charts: int = 2, hours: float = 0, milliseconds: int = 20_000
) -> list[Read]:
    async def go() -> list[Read]:
        now = [0.0]
        async with OutboundClient(transport=httpx.MockTransport(ehr)) as http:
            http.capabilities = Capabilities(lambda: now[0])
            client = FhirClient(http, Policy((BASE,)), BASE)
            answers = []
            for _ in range(charts):
                ehr.asked.clear()
                answers.append(await read_need(client, need, "p", Deadline.after(milliseconds)))
                now[0] += 3600 * hours
            return answers

    return asyncio.run(go())


def counts(ehr: Ehr) -> list[str | None]:
    return [asked.get("_count") for asked in ehr.asked]


def pages(of: int, seconds: float = 0.0) -> Answering:
    """A server with so many Observations, which takes so long for each page."""

    def answering(parameters: httpx.QueryParams) -> httpx.Response:
        time.sleep(seconds)
        size, at = int(parameters["_count"]), int(parameters.get("at", 0))
        body = found(*(f"o{number}" for number in range(at, min(at + size, of)))).json()
        if at + size < of:
            link = f"{BASE}/Observation?_count={size}&at={at + size}"
            body["link"] = [{"relation": "next", "url": link}]
        return httpx.Response(200, json=body)

    return answering


def test_a_server_that_gives_its_pages_fast_is_asked_for_long_ones() -> None:
    ehr = Ehr(pages(766))
    first, second = read(ehr)
    assert (first.count, second.count, counts(ehr)) == (766, 766, ["1000"])
    read(ehr, charts=1)
    assert counts(ehr) == ["200"] * 4, "a new client knows nothing yet"
    assert [asked.get("_sort") for asked in ehr.asked] == ["-date", None, None, None]
    read(ehr, "diagnosticReports", charts=2)
    assert counts(ehr)[0] == "100", "reports are large"


def test_a_chart_of_one_page_teaches_nothing() -> None:
    ehr = Ehr(pages(200))
    read(ehr, charts=3)
    assert counts(ehr) == ["200"]


def test_a_slow_server_is_asked_for_short_pages() -> None:
    ehr = Ehr(pages(400, 0.15))
    read(ehr, charts=2, milliseconds=1000)  # of which 1,000 would take 750
    assert counts(ehr) == ["200", "200"]


def test_long_pages_are_tried_for_an_hour() -> None:
    ehr = Ehr(pages(766))
    read(ehr, charts=3, hours=0.6)
    assert counts(ehr) == ["200"] * 4
    read(ehr, charts=2, hours=0.6)
    assert counts(ehr) == ["1000"]


def test_a_refused_long_page_is_not_asked_for_again() -> None:
    def answering(parameters: httpx.QueryParams) -> httpx.Response:
        return outcome(400, "invalid") if int(parameters["_count"]) > 200 else pages(400)(parameters)

    ehr = Ehr(answering)
    answers = read(ehr, charts=2)
    assert counts(ehr) == ["1000", "200", "200"] and answers[1].count == 400
    assert ehr.asked[1]["_sort"] == "-date"
    read(ehr, charts=5, hours=0.6)
    assert counts(ehr) == ["200", "200"]


def test_a_long_page_that_comes_too_late_is_not_asked_for_again() -> None:
    ehr = Ehr(lambda p: httpx.Response(599) if p["_count"] == "1000" else pages(400)(p))
    assert [answer.failed for answer in read(ehr, charts=3, milliseconds=1500)] == [None, "timeout", None]
    assert counts(ehr) == ["200", "200"]


@pytest.mark.parametrize(
    ("refused", "first", "then"),
    [
        (lambda p: "_sort" in p, ["200", "200"], ["200"]),
        (lambda p: "_count" in p, ["200", "200", None], [None]),
    ],
    ids=["no order", "no length"],
)
def test_a_server_that_refuses_parameters_is_asked_without(
    refused: Callable[[httpx.QueryParams], bool], first: list[str | None], then: list[str | None]
) -> None:
    ehr = Ehr(lambda p: outcome(400, "invalid") if refused(p) else found("o1"))
    (answer,) = read(ehr, charts=1)
    assert (answer.count, answer.partial, counts(ehr)) == (1, None, first)
    read(ehr)
    assert counts(ehr) == then


def test_a_category_that_is_not_known_is_asked_once_where_the_length_is_no_matter() -> None:
    def answering(parameters: httpx.QueryParams) -> httpx.Response:
        if "code" in parameters or parameters.get("category") == "laboratory":
            return found("o1")
        return outcome(400, "invalid" if "category" in parameters else "required")

    ehr = Ehr(answering)
    first, second = read(ehr)
    assert (first.partial, first.failed) == (second.partial, second.failed) == (None, None)
    assert {asked.get("category") for asked in ehr.asked} >= {"laboratory", "survey"}
    assert set(counts(ehr)) == {"200"}
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
