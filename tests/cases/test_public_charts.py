"""Every patient of the public FHIR data: no failure, no exception in the log, no card where nothing applies."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from cds_service.sandbox.content import background_bundles, unbundle
from cds_service.sandbox.store import Store
from tests.ehr import SERVICE, Ehr, without_uuids
from tests.public_data import BUNDLE_SETS, FILE_SETS, PublicChart, charts, lines

NO_CARDS: dict[str, list[Any]] = {"cards": []}


@pytest.fixture(autouse=True)
def no_exception_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING):
        yield
    errors = [r for r in caplog.records if r.levelno >= logging.ERROR or r.exc_info]
    assert errors == [], [r.name for r in errors]


def answer_of(service: TestClient, chart: PublicChart) -> httpx.Response:
    store = Store()
    store.load(chart.resources)
    ehr = Ehr(service, store)
    answer: httpx.Response = ehr.post(f"/cds-services/{SERVICE}", ehr.request(chart.patient_id))
    store.close()
    return answer


_LONG_CHARTS = frozenset({"synthea-smart", "synthea-lupus", "synthea-rheumatoid-arthritis", "synthea-bulk-server"})
"""thousands of resources each: two of a set by default, the background patients beside them, all in `make long`."""


@pytest.mark.parametrize("name", [*BUNDLE_SETS, *FILE_SETS])
def test_public_patients_as_prefetch_are_silent(service: TestClient, name: str) -> None:
    """None of them has a connective tissue disease together with a lesion (LICENCES.md tells what they are)."""
    _all_silent(service, islice(charts(name), 2 if name in _LONG_CHARTS else None))


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(_LONG_CHARTS))
def test_every_public_patient_as_prefetch_is_silent(service: TestClient, name: str) -> None:
    _all_silent(service, charts(name))


def _all_silent(service: TestClient, found: Iterable[PublicChart]) -> None:
    seen = 0
    for chart in found:
        answer = answer_of(service, chart)
        assert (answer.status_code, answer.json()) == (200, NO_CARDS), chart.label
        seen += 1
    assert seen > 0


def test_background_patients_of_the_sandbox_are_silent(ehr: Ehr) -> None:
    for bundle in background_bundles():
        patient = next(r for r in unbundle(bundle) if r["resourceType"] == "Patient")
        assert ehr.fire(patient["id"]) == NO_CARDS


def test_background_lupus_patients_are_seen_as_such(ehr: Ehr) -> None:
    """They are silent because there is no lesion, not because the disease was missed."""
    found = ehr.store.search("Condition", [("code", "http://snomed.info/sct|200936003")])
    patients = {ehr.store.read("Condition", i)["subject"]["reference"].rpartition("/")[2] for i in found.ids}
    assert len(patients) == 8
    for patient in patients:
        assessment = ehr.assess(patient)
        assert assessment["criteria"]["ctd"]["status"] == "met"
        assert assessment["criteria"]["lesion"]["status"] == "not-met"


def test_first_page_alone_is_silent_and_says_that_the_lesion_is_unknown(service: TestClient) -> None:
    """Long charts whose later pages can't be followed: never a verdict from the absence of unread data."""
    for _, chart in zip(range(3), charts("synthea-rheumatoid-arthritis"), strict=False):
        store = Store()
        store.load(chart.resources)
        short = Ehr(service, store, first_page_only=True)
        assert short.fire(chart.patient_id) == NO_CARDS
        assessment = short.assess(chart.patient_id)
        assert assessment["criteria"]["lesion"]["status"] == "unknown"
        assert assessment["completeness"]["observations"]["state"] == "partial"
        store.close()


def through_the_server(ehr: Ehr, store: Store, fhir_server: str, chart: PublicChart) -> None:
    store.load(chart.resources)
    from_fhir = ehr.fire(chart.patient_id, prefetch=False, fhir_server=fhir_server)
    assert without_uuids(from_fhir) == NO_CARDS, chart.label


@pytest.mark.parametrize("name", ["synthea-lupus", "synthea-rheumatoid-arthritis", "vendor-captures", "stu3-smart"])
def test_some_public_patients_through_the_fhir_server(
    ehr: Ehr, sandbox_store: Store, fhir_server: str, name: str
) -> None:
    for _, chart in zip(range(3), charts(name), strict=False):
        through_the_server(ehr, sandbox_store, fhir_server, chart)


@pytest.mark.long
@pytest.mark.parametrize("name", [*BUNDLE_SETS, *FILE_SETS])
def test_every_public_patient_through_the_fhir_server(
    ehr: Ehr, sandbox_store: Store, fhir_server: str, name: str
) -> None:
    for chart in charts(name):
        through_the_server(ehr, sandbox_store, fhir_server, chart)


def test_recorded_hook_requests_of_others_never_fail(service: TestClient) -> None:
    """Requests of other projects: other hooks, other prefetch keys, some malformed on purpose."""
    for line in lines("cds-hooks-requests"):
        body = line.get("content", line.get("text"))
        kind = "json" if "content" in line else "content"
        answer = service.post(f"/cds-services/{SERVICE}", **{kind: body})
        assert answer.status_code < 500, line["file"]
        if answer.status_code == 200:
            assert answer.json() == NO_CARDS, line["file"]
        else:
            assert answer.json()["resourceType"] == "OperationOutcome", line["file"]
