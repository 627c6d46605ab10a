"""Results of which only a part came: whether the newest of them is among that part, by prefetch and by server."""

from __future__ import annotations

from typing import Any

import pytest

from hooks.wire import FhirAuthorization
from mappings.facts import Completeness
from mappings.raw import RawChart, Resource
from tests.faults.server import bundle, fhir, observation, outcome
from tests.faults.test_reading import run

CALCIUM = "17861-6"


def result(name: str, day: str = "2026-05-01", code: str = CALCIUM) -> Resource:
    coded = {"coding": [{"system": "http://loinc.org", "code": code}]}
    return observation(name) | {"code": coded, "effectiveDateTime": day}


def newest(chart: RawChart) -> bool:
    state = chart.completeness["observations"]
    assert state.state == "partial", state
    return state.tells_newest


def of_prefetch(**answers: Any) -> Completeness:
    """The state of the results where nothing can be read from the server."""
    chart, _ = run({}, prefetch={"conditions": bundle(), **answers}, authorization=NOTHING)
    return chart.completeness["observations"]


NOTHING = FhirAuthorization("token", "patient/Condition.read")
NEXT = "https://elsewhere.example/next"
VITALS = bundle(observation("v1"))
IN_ORDER = (result("new", "2026-05-01"), result("old", "2025-01-02T08:00:00Z"))


@pytest.mark.parametrize(
    ("answers", "whole"),
    [
        ({"laboratory": bundle(result("a"))}, True),
        ({"laboratory": None}, True),
        ({"laboratory": bundle(result("a")), "vitals": outcome("forbidden")}, True),
        ({"vitals": VITALS}, False),
        ({"examinations": bundle(result("a"))}, False),
        ({"laboratory": outcome("forbidden"), "vitals": VITALS}, False),
        ({"laboratory": bundle(result("a"), outcome("incomplete")), "vitals": VITALS}, False),
        ({"laboratory": bundle(result("a"), next_url=NEXT)}, False),
        ({"laboratory": bundle(*IN_ORDER, next_url=NEXT)}, True),
        ({"laboratory": bundle(*IN_ORDER[::-1], next_url=NEXT)}, False),
        ({"laboratory": bundle(*IN_ORDER, observation("undated"), next_url=NEXT)}, False),
        ({"laboratory": bundle(*IN_ORDER) | {"total": 9}}, True),
        ({"laboratory": bundle(result("a")) | {"total": 9}}, False),
        ({"laboratory": {"resourceType": "Bundle", "entry": [{"resource": 5}, *bundle(result("a"))["entry"]]}}, False),
        ({"ourResults": bundle(result("a"))}, True),
        ({"ourResults": bundle(result("a")), "more": bundle(result("b"), next_url=NEXT)}, False),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else str(value),
)
def test_prefetch(answers: dict[str, Any], whole: bool) -> None:
    state = of_prefetch(**answers)
    assert state.state == "partial", state
    assert state.tells_newest is whole


FAILS = (500, {"Content-Type": "text/plain"}, b"oops")


def by_code(*found: Resource, fault: Any = None) -> Any:
    """A server of two pages that loses the second one, and answers to codes with what is `found`."""

    def answer(_: str, asked: dict[str, list[str]]) -> Any:
        if "code" in asked:
            return fault or fhir(bundle(*found))
        if "page" in asked:
            return FAILS
        return fhir(bundle(result("old", "2025-02-01"), next_url="Observation?page=2"))

    return answer


def test_what_decides_is_asked_for_by_code_when_the_rest_is_lost() -> None:
    chart, server = run({"Observation": by_code(result("new"))})
    assert newest(chart)
    assert {"old", "new"} <= {one["id"] for one in chart.resources if one["resourceType"] == "Observation"}
    assert any(CALCIUM in target for target, _ in server.requests)


@pytest.mark.parametrize(
    "how",
    [
        {"fault": FAILS},
        {"fault": fhir(bundle(result("new"), outcome("incomplete")))},
        {},
    ],
    ids=["refused", "withheld", "no LOINC there"],
)
def test_without_an_answer_to_codes_nobody_knows(how: dict[str, Any]) -> None:
    chart, _ = run({"Observation": by_code(**how)})
    assert not newest(chart)


def test_a_whole_prefetch_of_results_stands_when_the_server_fails() -> None:
    prefetch = {"laboratory": bundle(result("new"))}
    chart, _ = run({"Observation": FAILS}, prefetch=prefetch)
    assert newest(chart)
    chart, _ = run({"Observation": FAILS}, prefetch={"vitals": VITALS})
    assert not newest(chart)


@pytest.mark.parametrize(
    ("scope", "whole"),
    [
        ("patient/Observation.rs?category=laboratory", True),
        ("patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory", True),
        ("patient/Observation.rs?category=vital-signs", False),
        ("patient/Observation.rs?category=laboratory&date=gt2026", False),
        ("patient/Observation.r?category=laboratory patient/Observation.rs?category=exam", False),
    ],
)
def test_a_scope_for_a_part(scope: str, whole: bool) -> None:
    token = FhirAuthorization("token", scope)
    chart, _ = run({"Observation": fhir(bundle(result("a")))}, authorization=token)
    assert newest(chart) is whole


def test_by_category_the_laboratory_is_what_counts() -> None:
    def lacks(category: str) -> Any:
        def answer(_: str, asked: dict[str, list[str]]) -> Any:
            if not {"category", "code"} & set(asked):
                return fhir(outcome("required"), 400)
            if asked.get("category") == [category]:
                return FAILS
            return fhir(bundle(*([result("a")] if asked.get("category") == ["laboratory"] else ())))

        return answer

    chart, _ = run({"Observation": lacks("exam")})
    assert newest(chart)
    chart, _ = run({"Observation": lacks("laboratory")})
    assert not newest(chart)
