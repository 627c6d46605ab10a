"""What a server keeps back without a word of its own: each must be read, or be named, and never count as nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.outbound import OutboundClient, Policy
from cds_service.gather import gather
from hooks.services import PREFETCH
from hooks.wire import HookRequest
from mappings.raw import RawChart
from tests.faults.chart import PATIENT, SLE_CODED, body, lab
from tests.faults.vendors import Resource, issue, outcome
from tests.spec.harness import reader

BASE = "https://ehr.example.org/fhir"
FEWER = "fewer than the server counted"
REPLACED = "record replaced by another"
NEXT = "Observation?page=2"
MERGED = PATIENT | {"active": False, "link": [{"type": "replaced-by", "other": {"reference": "Patient/q"}}]}
WORDY = {"note": [{"text": "Sample taken in the morning, before any food or drink. " * 50}]}
"""makes an answer so large that it stays bytes until the chart is read"""


def found(*resources: Any, **more: Any) -> Resource:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]} | more


def linked(url: str) -> list[Resource]:
    return [{"relation": "next", "url": url}]


def read(answers: dict[str, Any], prefetch: dict[str, Any] | None = None) -> RawChart:
    """The chart from a server that gives these answers, by type or "type?query", and nothing else."""

    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.scheme == "https"
        path = request.url.path.removeprefix("/fhir/")
        query = request.url.query.decode()
        answer = answers.get(f"{path}?{query}", answers.get(path, found()))
        return httpx.Response(200, content=json.dumps(answer))

    async def go() -> RawChart:
        async with OutboundClient(transport=httpx.MockTransport(handler)) as http:
            request = HookRequest("patient-view", "i", "p", None, None, {}, fhir_server=BASE, prefetch=prefetch)
            return await gather(request, client=FhirClient(http, Policy((BASE,)), BASE), deadline=Deadline.after(4000))

    return asyncio.run(go())


def told(chart: RawChart, need: str) -> tuple[str, str | None]:
    state = reader().read(chart).completeness[need]  # type: ignore[index]
    return state.state, state.reason


def results(chart: RawChart) -> int:
    return len(reader().read(chart).results)


@pytest.mark.parametrize("more", [{}, WORDY], ids=["short", "long"])
def test_an_answer_with_fewer_than_the_server_counted_is_partial(more: dict[str, Any]) -> None:
    chart = read({"Patient/p": PATIENT, "Observation": found(lab("a", **more), total=2)})
    assert (told(chart, "observations"), results(chart)) == (("partial", FEWER), 1)
    whole = read({"Patient/p": PATIENT, "Observation": found(lab("a", **more), lab("b", 9.9), total=2)})
    assert (told(whole, "observations"), results(whole)) == (("complete", None), 2)


def test_all_pages_together_are_compared_with_the_count() -> None:
    first = found(lab("a"), total=3, link=linked(NEXT))
    chart = read({"Patient/p": PATIENT, "Observation": first, NEXT: found(lab("b", 9.9), total=3)})
    assert (told(chart, "observations"), results(chart)) == (("partial", FEWER), 2)
    pagewise = read({"Patient/p": PATIENT, "Observation": first | {"total": 1}, NEXT: found(lab("b", 9.9), total=1)})
    assert told(pagewise, "observations") == ("complete", None)


def test_nothing_of_what_the_server_counted_is_no_answer() -> None:
    chart = read({"Patient/p": PATIENT, "Condition": {"resourceType": "Bundle", "type": "searchset", "total": 4}})
    assert told(chart, "conditions") == ("unavailable", FEWER)


@pytest.mark.parametrize("entry", [{"fullUrl": f"{BASE}/Condition/1"}, {"resource": None}, "Condition/1"], ids=str)
def test_entries_that_hold_no_resource_are_no_answer(entry: Any) -> None:
    """They are none in a prefetch either: no disease would have been looked for and not found."""
    answer = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [entry]}
    chart = read({"Patient/p": PATIENT, "Condition": answer, "Observation": found(lab("a"))})
    assert told(chart, "conditions") == ("unavailable", "not a FHIR resource")
    assert told(chart, "observations") == ("complete", None)
    assert told(alone(prefetched(conditions=answer)), "conditions")[0] == "unavailable"


def prefetched(**changes: Any) -> dict[str, Any]:
    return dict.fromkeys(PREFETCH) | {"patient": PATIENT} | changes


def alone(prefetch: dict[str, Any]) -> RawChart:
    request = HookRequest("patient-view", "i", "p", None, None, {}, prefetch=prefetch)
    return asyncio.run(gather(request, client=None, deadline=Deadline.after(100)))


def test_a_prefetch_with_fewer_than_the_server_counted_is_read_again_or_named() -> None:
    short = found(lab("a"), total=2)
    chart = alone(prefetched(laboratory=short))
    assert told(chart, "observations") == ("partial", "not in prefetch: rest of laboratory")
    assert results(chart) == 1
    answers = {"Patient/p": PATIENT, "Observation": found(lab("a"), lab("b", 9.9), total=2)}
    mended = read(answers, prefetched(laboratory=short))
    assert (told(mended, "observations"), results(mended)) == (("complete", None), 2)


def test_a_prefetch_with_a_link_to_the_rest_is_whole_with_it() -> None:
    """The pages that follow are counted together with what came before them."""
    first = found(lab("a"), total=3, link=linked(NEXT))
    rest = found(lab("b", 9.9), lab("c", 9.1), total=3)
    chart = read({"Patient/p": PATIENT, NEXT: rest}, prefetched(laboratory=first))
    assert (told(chart, "observations"), results(chart)) == (("complete", None), 3)


def test_a_prefetch_of_a_count_alone_is_no_answer() -> None:
    counted = {"resourceType": "Bundle", "type": "searchset", "total": 4}
    chart = alone(prefetched(conditions=counted))
    assert told(chart, "conditions") == ("unavailable", f"conditions: {FEWER}")
    mended = read({"Patient/p": PATIENT, "Condition": found(SLE_CODED)}, prefetched(conditions=counted))
    assert told(mended, "conditions") == ("complete", None)


def test_a_renamed_key_with_fewer_is_named() -> None:
    chart = alone(prefetched(problems=found(SLE_CODED, total=9)))
    assert told(chart, "conditions") == ("partial", f"problems: {FEWER}")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"link": linked("https://ehr.example.org/fhir/DocumentReference?page=2")}, "page not followed"),
        ({"total": 9}, FEWER),
        (outcome(issue("error", "forbidden")), "forbidden"),
    ],
)
def test_notes_under_a_key_of_their_own_are_named_where_they_are_not_all(more: dict[str, Any], reason: str) -> None:
    note = body("DocumentReference", "n", status="current", content=[])
    assert reader().read(alone(prefetched(notes=found(note)))).quarantined == ()
    facts = reader().read(alone(prefetched(notes=found(note) | more)))
    assert [(q.reference, q.reason) for q in facts.quarantined] == [("prefetch.notes", reason)]


@pytest.mark.parametrize(
    "link",
    ["http://ehr.example.org/fhir/", "http://ehr.example.org:80/fhir/", "http://ehr.example.org:443/fhir/", "/fhir/"],
)
def test_a_page_link_that_lost_its_tls_is_followed_by_https(link: str) -> None:
    first = found(lab("a"), link=linked(f"{link}{NEXT}"))
    chart = read({"Patient/p": PATIENT, "Observation": first, NEXT: found(lab("b", 9.9))})
    assert (told(chart, "observations"), results(chart)) == (("complete", None), 2)


@pytest.mark.parametrize(
    "link",
    ["http://ehr.example.org:8080/fhir/", "http://internal.example.org/fhir/", "https://internal.example.org/fhir/"],
)
def test_a_page_link_to_another_place_is_not_followed_but_named(link: str) -> None:
    first = found(lab("a"), link=linked(f"{link}{NEXT}"))
    chart = read({"Patient/p": PATIENT, "Observation": first, NEXT: found(lab("b", 9.9))})
    assert (told(chart, "observations"), results(chart)) == (("partial", "page link of another server"), 1)


@pytest.mark.parametrize("more", [{}, WORDY], ids=["short", "long"])
def test_an_issue_of_the_whole_bundle_is_heard(more: dict[str, Any]) -> None:
    """R5 has a place of its own for it."""
    answer = found(lab("a", **more), issues=outcome(issue("error", "incomplete")))
    chart = read({"Patient/p": PATIENT, "Observation": answer})
    assert told(chart, "observations") == ("partial", "incomplete")
    assert told(alone(prefetched(laboratory=answer)), "observations") == ("partial", "laboratory: incomplete")


def test_a_record_that_another_replaced_is_no_word_about_the_patient() -> None:
    chart = read({"Patient/p": MERGED})
    assert {told(chart, need) for need in chart.completeness if need != "patient"} == {("unavailable", REPLACED)}
    left = read({"Patient/p": MERGED, "Observation": found(lab("a"))})
    assert {told(left, need) for need in left.completeness} == {("partial", REPLACED)}
    assert {told(alone(prefetched(patient=MERGED)), need) for need in chart.completeness} == {("partial", REPLACED)}


def test_a_record_that_replaced_another_is_whole() -> None:
    kept = PATIENT | {"link": [{"type": "replaces", "other": {"reference": "Patient/q"}}]}
    assert told(read({"Patient/p": kept}), "conditions") == ("complete", None)


DRUG = {"resourceType": "Medication", "id": "drug", "code": {"text": "Warfarin 5 mg"}}
URINE = {"resourceType": "Specimen", "id": "s", "type": {"text": "Urine"}}


@pytest.mark.parametrize("base", ["", "https://ehr.example.org/fhir/"])
@pytest.mark.parametrize("version", ["", "/_history/4"])
def test_a_reference_means_the_same_in_every_form(base: str, version: str) -> None:
    def named(what: str) -> dict[str, str]:
        return {"reference": f"{base}{what}{version}"}

    drug = body("MedicationRequest", "m", status="active", intent="order", subject=named("Patient/p"))
    calcium = lab("a", code={"text": "Calcium"}, specimen=named("Specimen/s"), subject=named("Patient/p"))
    answers = {
        "Patient/p": PATIENT,
        "MedicationRequest": found(drug | {"medicationReference": named("Medication/drug")}),
        "Medication/drug": DRUG,
        "Observation": found(calcium, URINE),
    }
    facts = reader().read(read(answers))
    assert [m.drugs for m in facts.medications] == [{"warfarin"}]
    assert facts.completeness["medications"].state == "complete"
    assert facts.results == (), "the calcium of a urine is not that of the blood"
