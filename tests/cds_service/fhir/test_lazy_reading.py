"""A page of a server that is taken apart, some of its resources never decoded, gives the very facts of one that is
decoded whole and read by a reader without memory; and what a page holds teaches nothing that a request may not hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.app import create_app
from cds_service.errors import BadRequest
from cds_service.fhir.lazy_pages import Page, page_of
from cds_service.gather import Gathered
from cds_service.limits import decode_request
from cds_service.pipeline import load_brain
from cds_service.settings import Settings
from hooks.wire import HookRequest
from mappings.bundles import decode, unpack
from mappings.facts import PatientFacts
from mappings.raw import RawChart
from mappings.reader import ChartReader
from mappings.unread import Unread
from mappings.versions import Version
from tests.cds_service.fhir.test_lazy_pages import answer, gathered
from tests.cds_service.lazy_charts import changed_charts, facts, late, many, published_charts, some_charts, weight
from tests.charts import TODAY
from tests.faults.server import PATIENT
from tests.mutants import mutated
from tests.public_data import BUNDLE_SETS, FILE_SETS
from tests.readers import brain_reader, forgetful


def paged(resources: list[Any], size: int = 60) -> list[bytes]:
    """The resources as a server sends them, in pages."""
    pages = []
    for start in range(0, len(resources), size):
        entries = [
            {"fullUrl": f"https://e/{start + number}", "resource": resource, "search": {"mode": "match"}}
            for number, resource in enumerate(resources[start : start + size])
        ]
        body = {"resourceType": "Bundle", "type": "searchset", "total": len(resources), "link": [], "entry": entries}
        pages.append(json.dumps(body, default=str, separators=(",", ":"), ensure_ascii=False).encode())
    return pages


def read(pages: list[bytes], patient: str, reader: ChartReader, version: Version | None = None) -> PatientFacts:
    held = [(None, Page(body, 0)) for body in pages]
    return reader.read(Gathered(RawChart(patient, (), version=version), [], [*held], reader=reader).chart())


def whole(pages: list[bytes], patient: str, slow: ChartReader, version: Version | None = None) -> PatientFacts:
    resources = [resource for body in pages for _, resource in unpack(decode(body)).resources]
    return slow.read(RawChart(patient, tuple(resources), version=version))


def same_both_ways(reader: ChartReader, slow: ChartReader, patient: str, resources: list[Any]) -> None:
    pages = paged(resources)
    wanted = whole(pages, patient, slow)
    for _ in range(2):
        assert read(pages, patient, reader) == wanted


@pytest.mark.parametrize("name", ["synthea-smart", "synthea-lupus", "vendor-captures"])
def test_public_charts_and_mutants_of_them(name: str) -> None:
    reader, slow = brain_reader(), forgetful()
    for number, (patient, resources) in enumerate(some_charts(name, 2, 150)):
        same_both_ways(reader, slow, patient, resources)
        same_both_ways(reader, slow, patient, mutated(resources, number))


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


def weights(count: int = 20, **more: Any) -> list[Any]:
    one = {name: value for name, value in (weight() | more).items() if name != "note"}
    return [one | {"id": f"w{number}"} for number in range(count)]


def test_what_another_page_said_stays_bytes() -> None:
    reader = brain_reader()
    (page,) = paged(weights())
    assert read([page], "p", reader) == whole([page], "p", forgetful())
    chart = Gathered(RawChart("p", ()), [], [(None, Page(page, 20))], reader=reader).chart()
    assert sum(isinstance(one, Unread) and one.silent for one in chart.resources) == 20
    assert [one["id"] for one in chart.resources] == [f"w{number}" for number in range(20)]


def test_a_page_as_epic_writes_it_is_taken_apart() -> None:
    """Every entry with a link to itself, and an OperationOutcome in every answer."""
    reader = brain_reader()
    (page,) = paged(weights(30))
    body = json.loads(page)
    for entry in body["entry"]:
        entry["link"] = [{"relation": "self", "url": entry["fullUrl"]}]
    said = {"severity": "warning", "code": "processing", "details": {"coding": [{"code": "4119"}]}}
    outcome = {"resourceType": "OperationOutcome", "issue": [said]}
    body["entry"].append({"fullUrl": "urn:uuid:1", "resource": outcome, "search": {"mode": "outcome"}})
    written = json.dumps(body, separators=(",", ":")).encode()
    found = page_of(written)
    assert found is not None and found.issues == (said,)
    assert read([written], "p", reader) == whole([written], "p", forgetful())
    chart = Gathered(RawChart("p", ()), [], [(None, found)], reader=reader).chart()
    assert [isinstance(one, Unread) and one.silent for one in chart.resources] == [True] * 30
    body["entry"][7]["link"].append({"relation": "x", "url": "y", "more": 1})
    unknown = json.dumps(body, separators=(",", ":")).encode()
    chart = Gathered(RawChart("p", ()), [], [(None, Page(unknown, 30))], reader=reader).chart()
    assert not any(isinstance(one, Unread) for one in chart.resources)
    assert len(chart.resources) == 30


@pytest.mark.parametrize("style", [{}, {"indent": 2}, {"indent": 1, "separators": (",", ":")}, {"ensure_ascii": False}])
def test_a_page_that_is_written_for_people_is_taken_apart_too(style: dict[str, Any]) -> None:
    reader = brain_reader()
    (page,) = paged([one | {"status": "final", "note": "Größe 1.50: {"} for one in weights(10)] + weights(20))
    written = json.dumps(json.loads(page, parse_float=str), **style).encode().replace(b'"71.5"', b"71.50")
    assert read([written], "p", reader) == whole([written], "p", forgetful())
    chart = Gathered(RawChart("p", ()), [], [(None, Page(written, 30))], reader=reader).chart()
    assert sum(isinstance(one, Unread) and one.silent for one in chart.resources) == 20
    assert [str(one["valueQuantity"]["value"]) for one in chart.resources] == ["71.50"] * 30


@pytest.mark.parametrize("version", [None, "STU3", "R4", "R5"])
def test_a_page_is_read_as_the_release_of_its_server(version: Version | None) -> None:
    reader = brain_reader()
    pages = paged(weights()) + paged(weights(effectiveDateTime="2025-02"))
    for _ in range(2):
        assert read(pages, "p", reader, version) == whole(pages, "p", forgetful(), version)


TWICE = b'{"coding":[],"coding":[{"system":"http://loinc.org","code":"29463-7","display":"Body Weight"}]}'


def test_what_a_request_may_not_hold_is_no_secret_way_in() -> None:
    """A server's page with a key twice is read as ever, and never makes a request pass that has it too."""
    reader = brain_reader()
    code = json.dumps(weight()["code"], separators=(",", ":")).encode()
    (page,) = paged(weights())
    page = page.replace(code, TWICE)
    for _ in range(2):
        assert read([page], "p", reader) == whole([page], "p", forgetful())
    body = many(weight()).replace(code, TWICE)
    with pytest.raises(BadRequest):
        decode_request(body)
    assert late(body, reader) is None


def test_a_page_teaches_requests_and_the_other_way_round() -> None:
    reader = brain_reader()
    (page,) = paged(weights())
    body = many(weight())
    sent = late(body, reader)
    assert sent is not None
    assert facts(sent, reader) == facts(decode_request(body), forgetful())
    chart = Gathered(RawChart("p", ()), [], [(None, Page(page, 20))], reader=reader).chart()
    assert all(isinstance(one, Unread) and one.silent for one in chart.resources)


def test_prescriptions_wait_as_bytes_unless_they_refer_to_their_drug() -> None:
    named = {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "methotrexate 15 mg"}}
    (page,) = paged([named] * 40)
    assert page_of(page) is not None
    for element in ({"medicationReference": {"reference": "Medication/1"}}, {"medication": {"reference": {}}}):
        (page,) = paged([*[named] * 40, {"resourceType": "MedicationRequest"} | element])
        assert page_of(page) is None


def test_what_is_gathered_is_taken_apart_for_its_reader() -> None:
    reader = brain_reader()
    (page,) = paged([one | {"subject": {"reference": f"Patient/{PATIENT}"}} for one in weights(40)])
    for known in (False, True):
        found, _ = gathered({"Observation": answer(page)}, reader=reader)
        chart = found.chart()
        assert [isinstance(one, Unread) and one.silent for one in chart.resources] == [known] * 40
        reader.read(chart)


def test_the_service_reads_servers_that_way() -> None:
    brain = load_brain(TODAY)
    app = create_app(Settings(profile="sandbox", database_url="sqlite://"), brain=brain)
    hook = HookRequest("patient-view", "i", PATIENT, None, None, {}, fhir_server="http://127.0.0.1:8080")
    client = app.state.cds.fhir_client(hook, None)
    assert client is not None and client.reader is brain.reader
