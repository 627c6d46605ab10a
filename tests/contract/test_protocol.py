"""The protocol over real HTTP: discovery, request rows R-1 to R-13, prefetch states, errors, CORS, headers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cds_service.app import create_app
from cds_service.settings import Settings
from hooks.services import SERVICES
from tests.charts import DETECTION, TODAY, chart
from tests.conformance import check_discovery, check_response
from tests.ehr import without_uuids
from tests.serving import listening

PATH = "/cds-services/calcinosis-patient-view"
BUNDLE = chart(DETECTION).json()
NO_CTD = chart("Patient | female | 49y\nCondition | Hypertension | onset -3y").json()


def call(**changes: Any) -> dict[str, Any]:
    body = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "patient-1"},
        "prefetch": {"conditions": BUNDLE, "laboratory": None, "examinations": None},
    } | changes
    return {key: value for key, value in body.items() if value is not ...}


def context(**changes: Any) -> dict[str, Any]:
    return call(context=call()["context"] | changes)


@pytest.fixture(scope="module")
def service() -> Iterator[httpx.Client]:
    app = create_app(Settings(profile="sandbox", as_of=TODAY, deadline_ms=1500))
    with listening(app) as url, httpx.Client(base_url=url, timeout=10) as client:
        yield client


def post(service: httpx.Client, body: Any, path: str = PATH, **more: Any) -> httpx.Response:
    return service.post(path, json=body, **more)


def test_discovery(service: httpx.Client) -> None:
    answer = service.get("/cds-services")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert check_discovery(answer.json()) == []
    assert [entry["id"] for entry in answer.json()["services"]] == [
        "calcinosis-patient-view", "calcinosis-encounter-start", "calcinosis-order-select", "calcinosis-order-sign",
    ]  # fmt: skip
    assert service.get("/cds-services/").json() == answer.json(), "a base URL that ends in a slash"


def test_a_card_and_a_silence(service: httpx.Client) -> None:
    answer = post(service, call())
    assert answer.status_code == 200
    assert answer.json()["cards"]
    assert check_response(answer.json(), patient="Patient/patient-1") == []
    silent = post(service, call(prefetch={"conditions": NO_CTD, "laboratory": None, "examinations": None}))
    assert (silent.status_code, silent.text) == (200, '{"cards":[]}')


@pytest.mark.parametrize(
    ("body", "element"),
    [
        (call(hook=...), "hook"),
        (call(hook=7), "hook"),
        (call(hook="order-sign"), "hook"),
        (call(hook="patient-view-2"), "hook"),
        (call(hookInstance=...), "hookInstance"),
        (call(hookInstance=""), "hookInstance"),
        (call(context=...), "context"),
        (call(context=[]), "context"),
        (call(context={"userId": "Practitioner/1"}), "context.patientId"),
        (context(patientId="Patient/1"), "context.patientId"),
        (context(patientId="../x"), "context.patientId"),
        (context(patientId=".."), "context.patientId"),
        (context(patientId="x" * 65), "context.patientId"),
        (context(patientId="a\nb"), "context.patientId"),
        (context(patientId="a?b"), "context.patientId"),
        (context(patientId=5), "context.patientId"),
        (context(userId="Device/1"), "context.userId"),
        (context(userId="Practitioner"), "context.userId"),
        (context(encounterId="a/b"), "context.encounterId"),
        (call(prefetch=[]), "prefetch"),
        (call(fhirServer="ftp://x"), "fhirServer"),
        (call(fhirAuthorization={"access_token": "x"}), "fhirServer"),
        (call(fhirServer="https://x.example.org", fhirAuthorization="x"), "fhirAuthorization"),
        (call(fhirServer="https://x.example.org", fhirAuthorization={}), "fhirAuthorization.access_token"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_request_names_the_element(service: httpx.Client, body: dict[str, Any], element: str) -> None:
    answer = post(service, body)
    assert answer.status_code == 400
    issue = answer.json()["issue"][0]
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert issue["expression"] == [element]
    assert issue["severity"] == "error"


def test_what_is_unknown_is_no_error(service: httpx.Client) -> None:
    plain = without_uuids(post(service, call()).json())
    extended = call(extension={"com.example": {"x": [None, {}]}}, hookInstance="not-a-uuid", foo=[1])
    extended["context"] |= {"foo": {"bar": 1}, "extension": {}}
    extended["prefetch"] |= {"com.example.extra": None}
    assert without_uuids(post(service, extended).json()) == plain
    fhir_json = {"Content-Type": "application/fhir+json"}
    typed = service.post(PATH, content=json.dumps(call()).encode(), headers=fhir_json)
    assert without_uuids(typed.json()) == plain


@pytest.mark.parametrize("user", ["Patient/patient-1", "RelatedPerson/1"])
def test_cards_are_for_clinicians(service: httpx.Client, user: str) -> None:
    assert post(service, context(userId=user)).json() == {"cards": []}


@pytest.mark.parametrize("user", ["Practitioner/1", "PractitionerRole/a.b-1"])
def test_clinicians_see_them(service: httpx.Client, user: str) -> None:
    assert post(service, context(userId=user)).json()["cards"]


REFUSAL = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}


@pytest.mark.parametrize(
    "prefetch",
    [
        ...,
        {},
        {"conditions": REFUSAL},
        {"conditions": {"resourceType": "Bundle", "entry": [{"resource": REFUSAL, "search": {"mode": "outcome"}}]}},
        {"conditions": {"response": "200", "resource": {}}},
    ],
    ids=["absent", "empty", "outcome", "outcome in a Bundle", "old wrapper"],
)
def test_question_that_can_t_be_read_is_412(service: httpx.Client, prefetch: Any) -> None:
    answer = post(service, call(prefetch=prefetch))
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["expression"] == ["prefetch"]
    whole = post(service, call(prefetch=prefetch), "/assessments")
    assert whole.status_code == 200
    assert whole.json()["card"] == "none"
    assert whole.json()["completeness"]["conditions"]["state"] == "unavailable"


def test_other_patients_data_never_count(service: httpx.Client) -> None:
    other = {
        "conditions": chart(DETECTION, patient_id="somebody-else").json(),
        "laboratory": None,
        "examinations": None,
    }
    assert post(service, call(prefetch=other)).json() == {"cards": []}


def test_one_broken_resource_is_left_out_and_named(service: httpx.Client) -> None:
    broken = {**BUNDLE, "entry": [*BUNDLE["entry"], {"resource": {"id": "x"}}, {"resource": 5}, 7]}
    body = call(prefetch={"conditions": broken, "laboratory": None, "examinations": None})
    cards, plain = post(service, body).json()["cards"], post(service, call()).json()["cards"]
    assert [card["summary"] for card in cards] == [card["summary"] for card in plain]
    named = post(service, body, "/assessments").json()["quarantined"]
    last = len(BUNDLE["entry"])
    assert {entry["reference"] for entry in named} == {f"prefetch.conditions.entry[{last + n}]" for n in range(3)}


def test_a_text_cut_off_within_a_letter_costs_nothing_else(service: httpx.Client) -> None:
    """Half of an emoji, as programs leave it that shorten a text by UTF-16 units."""
    note = {"resourceType": "Observation", "id": "n", "status": "final", "subject": {"reference": "Patient/patient-1"}}
    note |= {"code": {"text": "Message"}, "valueString": "Thank you \ud83d"}
    for sent in (BUNDLE, NO_CTD):
        whole = {**sent, "entry": [*sent["entry"], {"resource": note}]}
        body = json.dumps(call(prefetch={"conditions": whole, "laboratory": None, "examinations": None}))
        assert r"\ud83d" in body
        answer = service.post(PATH, content=body, headers={"Content-Type": "application/json"})
        expected = post(service, call(prefetch={"conditions": sent, "laboratory": None, "examinations": None}))
        assert answer.status_code == 200, answer.text
        assert without_uuids(answer.json()) == without_uuids(expected.json())


def test_methods_and_addresses(service: httpx.Client) -> None:
    for method, path, status in (
        ("GET", PATH, 405),
        ("POST", "/cds-services", 405),
        ("POST", "/cds-services/none", 404),
        ("GET", "/nowhere", 404),
        ("PUT", "/assessments", 405),
        ("GET", "/evidence/none", 404),
        ("GET", "/cds-services/none/source-attributes", 404),
    ):
        answer = service.request(method, path, content=b"{}" if method == "POST" else None)
        assert answer.status_code == status, path
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert answer.headers["content-type"] == "application/fhir+json"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/cds-services", "/evidence", "/nowhere", PATH])
def test_head_is_answered_as_get_without_the_body(service: httpx.Client, path: str) -> None:
    whole, head = service.get(path), service.head(path)
    assert head.status_code == whole.status_code
    assert head.content == b""
    for name in ("content-type", "content-length", "cache-control"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize("path", ["/cds-services", PATH, f"{PATH}/feedback", "/assessments"])
def test_preflight_needs_no_authentication(service: httpx.Client, path: str) -> None:
    asked = {
        "Origin": "https://sandbox.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    answer = service.options(path, headers=asked)
    assert answer.status_code in (200, 204)
    assert answer.headers["access-control-allow-origin"] == "https://sandbox.example.org"
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed
    assert "content-type" in allowed
    assert "access-control-allow-credentials" not in answer.headers


def test_cors_on_errors_and_security_headers_everywhere(service: httpx.Client) -> None:
    answer = service.post(PATH, content=b"{", headers={"Origin": "https://x.example.org"})
    assert answer.status_code == 400
    assert answer.headers["access-control-allow-origin"] == "https://x.example.org"
    for path in ("/cds-services", "/evidence", "/nowhere", "/healthz"):
        headers = service.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in service.get("/evidence").headers["content-security-policy"]


def test_source_attributes_for_machines_and_people(service: httpx.Client) -> None:
    for service_id in SERVICES:
        path = f"/cds-services/{service_id}/source-attributes"
        document = service.get(path).json()
        assert len(document["attributes"]) == 13
        assert all(entry["value"] for entry in document["attributes"])
        running = {"software": document["softwareVersion"], "knowledge": document["knowledgeVersion"]}
        assert set(running.items()) <= {(entry["of"], entry["version"]) for entry in document["releases"]}
        page = service.get(path, headers={"Accept": "text/html,*/*"})
        assert page.headers["content-type"].startswith("text/html")
        assert all(entry["label"] in page.text.replace("&#39;", "'") for entry in document["attributes"])


@pytest.mark.parametrize(
    ("accept", "evidence", "attributes"),
    [
        (None, "html", "json"),
        ("*/*", "html", "json"),
        ("application/json", "json", "json"),
        ("application/json, */*;q=0.5", "json", "json"),
        ("text/html", "html", "html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html", "html"),
        ("text/html, application/json", "html", "html"),
        ("text/html;q=0, application/json", "json", "json"),
        ("application/json, text/html;q=0.9", "json", "json"),
        ("application/json;q=0.1, Text/HTML; q=0.2", "html", "html"),
        ("text/html;q=much, application/json;q=0.5", "html", "html"),
    ],
)
def test_json_or_html_by_the_weights_of_accept(
    service: httpx.Client, accept: str | None, evidence: str, attributes: str
) -> None:
    headers = {"Accept": accept} if accept is not None else {}
    for path, expected in (("/evidence/balin2012", evidence), (f"{PATH}/source-attributes", attributes)):
        request = service.build_request("GET", path, headers=headers)
        if accept is None:
            del request.headers["Accept"]
        assert expected in service.send(request).headers["content-type"]


def test_every_source_of_a_card_resolves(service: httpx.Client) -> None:
    base = str(service.base_url).rstrip("/")
    for card in post(service, call()).json()["cards"]:
        for url in [card["source"]["url"], *(link["url"] for link in card.get("links", ()))]:
            assert url.startswith(base)
            assert service.get(url).status_code == 200
    for key in post(service, call(), "/assessments").json()["sources"]:
        page = service.get(f"/evidence/{key}")
        assert page.status_code == 200
        assert service.get(f"/evidence/{key}", headers={"Accept": "application/json"}).json()["key"] == key


def test_the_description_promises_no_summary_of_140_characters(service: httpx.Client) -> None:
    card = service.get("/openapi.json").json()["components"]["schemas"]["Cards"]["properties"]["cards"]["items"]
    assert card["properties"]["summary"]["maxLength"] == 139


def test_health_and_metrics(service: httpx.Client) -> None:
    assert service.get("/healthz").json() == {"status": "ok"}
    assert service.get("/readyz").json()["status"] == "ready"
    post(service, call())
    text = service.get("/metrics").text
    assert 'cds_requests_total{route="/cds-services/{service_id}",status="200",tenant="-"}' in text
    assert 'outcome="shown"' in text
    assert "cds_request_seconds_bucket" in text


def test_same_question_same_answer(service: httpx.Client) -> None:
    answers = [post(service, call()).json() for _ in range(3)]
    uuids = {card["uuid"] for answer in answers for card in answer["cards"]}
    assert len(uuids) == sum(len(answer["cards"]) for answer in answers), "every answer has uuids of its own"
    assert without_uuids(answers[0]) == without_uuids(answers[1]) == without_uuids(answers[2])
