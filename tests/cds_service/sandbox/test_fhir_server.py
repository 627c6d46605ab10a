"""The sandbox's FHIR endpoint as a client sees it (https://hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

import pytest
from fhir.resources.R4B import get_fhir_model_class
from starlette.testclient import TestClient

NEW = {
    "resourceType": "ServiceRequest",
    "status": "draft",
    "intent": "proposal",
    "subject": {"reference": "Patient/p1"},
}


def ids(answer: dict) -> list[str]:
    return [e["resource"]["id"] for e in answer.get("entry", []) if e["search"]["mode"] == "match"]


def search(client: TestClient, query: str) -> list[str]:
    answer = client.get(f"/fhir/{query}")
    assert answer.status_code == 200, answer.text
    return ids(answer.json())


def test_read_and_version(client: TestClient) -> None:
    answer = client.get("/fhir/Patient/p1")
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.json()["birthDate"] == "1977-02-21"
    changed = answer.json() | {"gender": "male"}
    assert client.put("/fhir/Patient/p1", json=changed).headers["etag"] == 'W/"2"'
    assert client.get("/fhir/Patient/p1/_history/1").json()["gender"] == "female"
    assert client.get("/fhir/Patient/p1/_history/2").json()["gender"] == "male"
    assert client.get("/fhir/Patient/p1/_history/3").status_code == 404


def test_unusual_accept_header_is_served(client: TestClient) -> None:
    assert client.get("/fhir/Patient/p1", headers={"Accept": "application/json+fhir"}).status_code == 200


def test_numbers_come_back_as_written(client: TestClient) -> None:
    assert '"value":2.10,' in client.get("/fhir/Observation/p1-laboratory-10").text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Condition?patient=p1", ["p1-condition-1", "p1-condition-2"]),
        ("Condition?patient=Patient/p1", ["p1-condition-1", "p1-condition-2"]),
        ("Condition?subject=Patient/p1", ["p1-condition-1", "p1-condition-2"]),
        ("Condition?subject:Patient=p1", ["p1-condition-1", "p1-condition-2"]),
        ("Condition?patient=http://sandbox.test/fhir/Patient/p1", ["p1-condition-1", "p1-condition-2"]),
        ("Condition?patient=p", []),
        ("Condition?code=http://snomed.info/sct|55464009", ["p1-condition-1", "p2-condition-1"]),
        ("Condition?code=M32.9&patient=p2", ["p2-condition-1"]),
        ("Condition?code=http://loinc.org|M32.9", []),
        ("Condition?clinical-status=active&patient=p2", ["p2-condition-1"]),
        ("Condition?verification-status=confirmed,refuted&patient=p2", ["p2-condition-1"]),
        ("Condition?onset-date=2019", ["p1-condition-2"]),
        ("Condition?onset-date=lt2019", ["p1-condition-1"]),
        ("Observation?patient=p1&category=exam", ["p1-exam-1"]),
        ("Observation?patient=p1&code=1751-7", ["p1-laboratory-31"]),
        ("Observation?patient=p1&status=preliminary", ["p1-laboratory-31"]),
        ("Observation?patient=p1&code=2000-8,1751-7&date=ge2026-05-31", ["p1-laboratory-1"]),
        (
            "Observation?patient=p1&code=2000-8&date=ge2026-05-28&date=le2026-05-29",
            ["p1-laboratory-3", "p1-laboratory-4"],
        ),
        ("Observation?patient=p1&code=2000-8&_sort=-date&_count=2", ["p1-laboratory-1", "p1-laboratory-2"]),
        ("Observation?patient=p1&code=2000-8&_sort=date&_count=1", ["p1-laboratory-30"]),
        ("Observation?_id=p1-exam-1", ["p1-exam-1"]),
        ("Patient?name=exam", ["p1"]),
        ("Patient?family=person", ["p2"]),
        ("Patient?gender=male", ["p2"]),
        ("Patient?birthdate=lt2000", ["p1"]),
        ("Patient?_lastUpdated=gt2099", []),
        ("Patient?_lastUpdated=gt2001", ["p1", "p2"]),
    ],
)
def test_search(client: TestClient, query: str, expected: list[str]) -> None:
    assert search(client, query) == expected


def test_search_by_post_combines_url_and_form(client: TestClient) -> None:
    answer = client.post(
        "/fhir/Observation/_search?patient=p1", data={"code": "2000-8", "_count": "3", "_sort": "-date"}
    )
    assert ids(answer.json()) == ["p1-laboratory-1", "p1-laboratory-2", "p1-laboratory-3"]


def test_paging_by_next_links_visits_everything_once(client: TestClient) -> None:
    answer = client.get("/fhir/Observation?patient=p1&code=2000-8&_count=7").json()
    assert answer["total"] == 30
    seen = ids(answer)
    while link := next((li["url"] for li in answer["link"] if li["relation"] == "next"), None):
        answer = client.get(link).json()
        seen += ids(answer)
    assert len(seen) == len(set(seen)) == 30


def test_expired_page_is_410(client: TestClient) -> None:
    assert client.get("/fhir?_page=nonsense").status_code == 410


def test_count_zero_gives_only_the_total(client: TestClient) -> None:
    answer = client.get("/fhir/Observation?patient=p1&_count=0").json()
    assert (answer["total"], answer.get("entry"), len(answer["link"])) == (32, None, 1)


def test_unknown_parameter_is_told_and_strict_refuses(client: TestClient) -> None:
    answer = client.get("/fhir/Condition?patient=p1&colour=red").json()
    assert "colour" not in answer["link"][0]["url"]
    assert "colour" in answer["entry"][-1]["resource"]["issue"][0]["diagnostics"]
    assert client.get("/fhir/Condition?colour=red", headers={"Prefer": "handling=strict"}).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "Condition?code:below=x",
        "Observation?date=yesterday",
        "Condition?_count=many",
        "Condition?_sort=colour",
        "Condition?code=",
    ],
)
def test_unusable_search_is_400(client: TestClient, query: str) -> None:
    answer = client.get(f"/fhir/{query}")
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_create_gives_id_location_and_is_found(client: TestClient) -> None:
    answer = client.post("/fhir/ServiceRequest", json=NEW | {"id": "chosen-by-client"})
    assert answer.status_code == 201
    new_id = answer.json()["id"]
    assert new_id != "chosen-by-client"
    assert answer.headers["location"] == f"http://sandbox.test/fhir/ServiceRequest/{new_id}/_history/1"
    assert search(client, "ServiceRequest?patient=p1&status=draft") == [new_id]


def test_delete_makes_gone(client: TestClient) -> None:
    assert client.delete("/fhir/Condition/p2-condition-1").status_code == 204
    assert client.get("/fhir/Condition/p2-condition-1").status_code == 410
    assert search(client, "Condition?patient=p2") == []
    assert client.get("/fhir/Condition/p2-condition-1/_history/1").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "named"),
    [
        ("POST", "ServiceRequest", NEW | {"status": 3}, 422, "ServiceRequest.status"),
        ("POST", "ServiceRequest", NEW | {"colour": "red"}, 422, "colour"),
        ("POST", "ServiceRequest", {"resourceType": "Condition"}, 400, "resourceType"),
        ("POST", "ServiceRequest", [], 400, "object"),
        ("PUT", "ServiceRequest/x", NEW | {"id": "y"}, 400, "id"),
        ("PUT", "ServiceRequest/a_b", NEW | {"id": "a_b"}, 400, "id"),
        ("GET", "Patient/unknown", None, 404, "Patient/unknown"),
        ("GET", "Nonsense/1", None, 404, "Nonsense"),
        ("GET", "Patient/" + "x" * 65, None, 400, "id"),
        ("POST", "", {"resourceType": "Bundle", "type": "collection"}, 400, "batch"),
    ],
)
def test_errors_name_the_element(
    client: TestClient, method: str, path: str, body: object, status: int, named: str
) -> None:
    answer = client.request(method, f"/fhir/{path}", json=body)
    assert answer.status_code == status, answer.text
    issue = answer.json()["issue"][0]
    assert named in issue["diagnostics"] + str(issue.get("expression", ""))


def test_body_that_is_no_json_is_400(client: TestClient) -> None:
    assert client.post("/fhir/Condition", content=b"{oops").status_code == 400


def transaction(*entries: tuple[str, str, dict], kind: str = "transaction") -> dict:
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [
            {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
            for url, _, resource in entries
        ],
    }


def test_transaction_links_its_own_entries(client: TestClient) -> None:
    patient = {"resourceType": "Patient", "gender": "female"}
    order = NEW | {"subject": {"reference": "urn:uuid:1"}}
    answer = client.post("/fhir", json=transaction(("urn:uuid:1", "", patient), ("urn:uuid:2", "", order)))
    assert answer.status_code == 200, answer.text
    locations = [entry["response"]["location"] for entry in answer.json()["entry"]]
    new_patient = locations[0].split("/fhir/")[1].removesuffix("/_history/1")
    stored = client.get("/fhir/" + locations[1].split("/fhir/")[1]).json()
    assert stored["subject"]["reference"] == new_patient
    assert client.get(f"/fhir/{new_patient}").status_code == 200


def test_failed_transaction_stores_nothing(client: TestClient) -> None:
    good, bad = {"resourceType": "Patient", "gender": "female"}, NEW | {"status": 3}
    answer = client.post("/fhir", json=transaction(("urn:uuid:1", "", good), ("urn:uuid:2", "", bad)))
    assert answer.status_code == 422
    assert "Bundle.entry[1]" in answer.json()["issue"][0]["diagnostics"]
    assert search(client, "Patient?gender=female") == ["p1"]


def test_batch_keeps_what_is_good(client: TestClient) -> None:
    good, bad = {"resourceType": "Patient", "gender": "other"}, NEW | {"status": 3}
    answer = client.post("/fhir", json=transaction(("urn:uuid:2", "", bad), ("urn:uuid:1", "", good), kind="batch"))
    assert [entry["response"]["status"] for entry in answer.json()["entry"]] == ["422", "201"]
    assert len(search(client, "Patient?gender=other")) == 1


def test_capability_statement_is_valid_and_true(client: TestClient) -> None:
    statement = client.get("/fhir/metadata").json()
    get_fhir_model_class("CapabilityStatement").model_validate(statement)
    observation = next(r for r in statement["rest"][0]["resource"] if r["type"] == "Observation")
    assert {"patient", "code", "category", "date", "_lastUpdated"} <= {p["name"] for p in observation["searchParam"]}


def test_cors_preflight_and_errors(client: TestClient) -> None:
    preflight = client.options(
        "/fhir/Observation/_search",
        headers={
            "Origin": "https://ehr.test",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert preflight.status_code == 200
    assert (
        client.get("/fhir/Patient/none", headers={"Origin": "https://ehr.test"}).headers["access-control-allow-origin"]
        == "*"
    )
