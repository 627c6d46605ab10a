"""A prefetch that is decoded resource by resource, some of it never, gives the very facts of one that is decoded whole
and read by a reader without memory; whatever is refused when it is decoded whole is refused."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.errors import BadRequest
from cds_service.limits import decode_request
from mappings.reader import ChartReader
from tests.cds_service.lazy_charts import (
    changed_charts,
    facts,
    late,
    many,
    published_charts,
    request,
    resources_of,
    same_both_ways,
    some_charts,
    unread,
    weight,
)
from tests.mutants import mutated
from tests.public_data import BUNDLE_SETS, FILE_SETS
from tests.readers import brain_reader, forgetful


@pytest.mark.parametrize("name", ["synthea-smart", "synthea-lupus", "vendor-captures"])
def test_public_charts_and_mutants_of_them(name: str) -> None:
    reader, slow = brain_reader(), forgetful()
    left = 0
    for number, (patient, resources) in enumerate(some_charts(name, 2, 100)):
        left += same_both_ways(reader, slow, patient, resources)
        same_both_ways(reader, slow, patient, mutated(resources, number))
    assert left > 5 or name != "synthea-smart"


@pytest.mark.long
@pytest.mark.parametrize("name", [*BUNDLE_SETS, *FILE_SETS])
def test_every_public_chart_and_mutants_of_it(name: str) -> None:
    reader, slow = brain_reader(), forgetful()
    for patient, resources in changed_charts(name):
        same_both_ways(reader, slow, patient, resources)


@pytest.mark.long
def test_published_cases() -> None:
    reader, slow = brain_reader(), forgetful()
    for patient, resources in published_charts():
        same_both_ways(reader, slow, patient, resources)


@pytest.fixture(scope="module")
def knowing() -> ChartReader:
    """A reader that has read weights of another patient."""
    reader = brain_reader()
    body = many(weight()).replace(b"Patient/p", b"Patient/q").replace(b'"patientId":"p"', b'"patientId":"q"')
    sent = late(body, reader)
    assert sent is not None and not unread(sent)
    facts(sent, reader)
    return reader


def test_another_patients_like_resources_stay_bytes(knowing: ChartReader) -> None:
    told = weight(
        id="other",
        meta={"versionId": "7", "lastUpdated": "2026-02-01T00:00:00Z"},
        encounter={"reference": "Encounter/99"},
        effectiveDateTime="2025-12-24T08:15:00+01:00",
        issued="2025-12-24T08:15:30Z",
        valueQuantity=weight()["valueQuantity"] | {"value": 64},
    )
    sent = late(many(told), knowing)
    assert sent is not None
    assert unread(sent) == 8
    found = resources_of(sent)[0]
    assert found["valueQuantity"]["value"] == 64, "who asks gets it decoded"
    assert found.get("resourceType") == "Observation" and len(found) == 10


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": {"reference": "Patient/another"}},
        {"subject": {"display": "p"}},
        {"effectiveDateTime": "2025-13-40"},
        {"issued": "soon"},
        {"status": "entered-in-error"},
        {"code": {"coding": [{"system": "http://loinc.org", "code": "17861-6", "display": "Calcium"}]}},
        {"valueQuantity": {"value": 71.5, "unit": "mg/dL"}},
        {"valueQuantity": {"value": "71.5", "unit": "kg"}},
        {"valueString": "hard nodule on the left elbow"},
        {"hasMember": [{"reference": "Observation/x"}]},
        {"meta": []},
    ],
)
def test_what_differs_is_read(knowing: ChartReader, changed: dict[str, Any]) -> None:
    body = many(weight() | changed)
    sent = late(body, knowing)
    assert sent is not None
    assert not unread(sent)
    assert facts(sent, knowing) == facts(decode_request(body), forgetful())


def test_entries_with_a_link_to_themselves_are_taken_apart(knowing: ChartReader) -> None:
    """As Epic writes them; what may not stand there is refused as ever."""
    link = b'{"link":[{"relation":"self","url":"https://e/1"}],"fullUrl"'
    body = many(weight()).replace(b'{"fullUrl"', link)
    sent = late(body, knowing)
    assert sent is not None and unread(sent) == 8
    assert facts(sent, knowing) == facts(decode_request(body), forgetful())
    for spoilt in (b'"url":"x","url":', b'"relation":"self","url":'):
        twice = body.replace(b'"url":', spoilt, 1)
        with pytest.raises(BadRequest):
            decode_request(twice)
        assert late(twice, knowing) is None
    other = body.replace(b'"relation":"self"', b'"relation":"self","extension":[]', 1)
    sent = late(other, knowing)
    assert sent is not None and not unread(sent), "a member that we don't know"


def test_versions_of_one_resource_in_any_order(knowing: ChartReader) -> None:
    """The newest counts, whether it stayed bytes or not."""
    told = weight(code={"coding": [{"system": "http://loinc.org", "code": "17861-6", "display": "Calcium"}]})
    told["valueQuantity"] = {"value": 9.4, "unit": "mg/dL"}
    for stamp in ("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"):
        newer = told | {"meta": {"versionId": "1", "lastUpdated": stamp}}
        for pair in ([weight(), newer], [newer, weight()]):
            body = request("p", [{k: v for k, v in one.items() if k != "note"} for one in pair * 4])
            sent = late(body, knowing)
            assert sent is not None and unread(sent) == 4
            assert facts(sent, knowing) == facts(decode_request(body), forgetful())


def test_another_release_is_read_as_that_release(knowing: ChartReader) -> None:
    body = many(weight())
    sent = late(body, knowing)
    assert sent is not None and unread(sent) == 8
    assert facts(sent, knowing, "STU3") == facts(decode_request(body), forgetful(), "STU3")
    told = late(body, knowing, "R5")
    assert told is not None and not unread(told)


DEEP = b"[" * 60 + b"]" * 60


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda body: body.replace(b'"status":"final"', b'"status":"final","status":"final"', 1),
        lambda body: body.replace(b'"id":"w1-3"', b'"id":"w1-3","id":"w1-4"', 1),
        lambda body: body.replace(b'{"reference":"Encounter/1"}', b'{"reference":"Encounter/1","reference":"x"}', 1),
        lambda body: body.replace(b'"resource":{', b'"resource":{},"resource":{', 1),
        lambda body: body.replace(b'"entry":[', b'"entry":[],"entry":[', 1),
        lambda body: body.replace(b'"laboratory":{', b'"laboratory":null,"laboratory":{', 1),
        lambda body: body.replace(b'"hook":', b'"hook":"x","hook":', 1),
        lambda body: body.replace(b'"id":"w1-3"', b'"id":"w1-3","performer":' + DEEP, 1),
        lambda body: body.replace(b'"value":71.5', b'"value":1e999', 1),
        lambda body: body.replace(b'"Encounter/1"', b'"Encounter/\xff"', 1),
        lambda body: body.replace(b'"Body Weight"', b'"Body \xffWeight"', 1),
        lambda body: body.replace(b'"id":"w1-3"', b'"id":"w1-3","identifier":[{"value":"\xff"}]', 1),
        lambda body: body.replace(b'"https://e/w1-3"', b'"https://e/\xff"', 1),
        lambda body: body.replace(b'"Encounter/1"', b'"Encounter/\n"', 1),
        lambda body: body.replace(b"}", b"", 1),
        lambda body: body[:-1],
    ],
)
def test_what_is_refused_whole_is_refused(knowing: ChartReader, spoilt: Callable[[bytes], bytes]) -> None:
    body = spoilt(many(weight()))
    with pytest.raises(BadRequest):
        decode_request(body)
    assert late(body, knowing) is None


def test_half_a_letter_is_mended_when_it_is_decoded_whole(knowing: ChartReader) -> None:
    body = many(weight()).replace(b'"Encounter/1"', b'"Encounter/\\ud800"', 1)
    assert decode_request(body) == decode_request(body.replace(b"ud800", b"ufffd"))
    assert late(body, knowing) is None


def test_anything_cut_or_doubled_is_as_when_it_is_decoded_whole(knowing: ChartReader) -> None:
    """One member left out, its name alone left out, or said twice, anywhere."""
    pick, body = random.Random(7), many(weight())
    places = [match.start() for match in re.finditer(rb'"[a-zA-Z]+":', body)]
    for _ in range(60):
        at = pick.choice(places)
        name = body[at : body.index(b":", at) + 1]
        for changed in (
            body[:at] + body[at + len(name) :],
            body[:at] + name + b"1," + body[at:],
            body[:at] + body[at:],
        ):
            try:
                whole = decode_request(changed)
            except BadRequest:
                assert late(changed, knowing) is None
                continue
            sent = late(changed, knowing)
            if sent is not None:
                assert facts(sent, knowing) == facts(whole, forgetful())
