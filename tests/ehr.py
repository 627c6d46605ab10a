"""A small EHR for tests: a FHIR server with charts, and the calls that an EHR makes to the service.

ehr = Ehr(service_client, store)
answer = ehr.fire("lopez2017-labs")              # prefetch as discovery asks for it, no FHIR server
answer = ehr.assess("lopez2017-labs")            # the same to /assessments
answer = ehr.fire("p1", fhir_server=url, prefetch=False)
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import orjson

from cds_service.sandbox.store import Store

SERVICE = "calcinosis-patient-view"
USER = "Practitioner/sandbox-clinician"


class Ehr:
    """`client` calls the service (httpx or a test client); the store stands for the EHR's own data."""

    def __init__(self, client: Any, store: Store, *, first_page_only: bool = False) -> None:
        """`first_page_only`: prefetch holds `_count` entries and a next link that leads nowhere."""
        self.client, self.store, self.first_page_only = client, store, first_page_only
        answer = client.get("/cds-services")
        assert answer.status_code == 200, answer.text
        self.services = {service["id"]: service for service in answer.json()["services"]}

    def request(
        self, patient_id: str, *, prefetch: bool | tuple[str, ...] = True, fhir_server: str | None = None
    ) -> dict[str, Any]:
        """The body of a patient-view call; `prefetch` may name the only keys to send."""
        context = {"userId": USER, "patientId": patient_id}
        body: dict[str, Any] = {"hook": "patient-view", "hookInstance": str(uuid4()), "context": context}
        if fhir_server:
            body["fhirServer"] = fhir_server
        if prefetch:
            templates = self.services[SERVICE]["prefetch"]
            keys = templates if prefetch is True else prefetch
            body["prefetch"] = {key: self.resolve(templates[key], context) for key in keys}
        return body

    def fire(self, patient_id: str, **how: Any) -> dict[str, Any]:
        return self._post(f"/cds-services/{SERVICE}", patient_id, **how)

    def assess(self, patient_id: str, **how: Any) -> dict[str, Any]:
        return self._post("/assessments", patient_id, **how)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self.client.post(path, content=orjson.dumps(body), headers={"Content-Type": "application/json"})

    def _post(self, path: str, patient_id: str, **how: Any) -> dict[str, Any]:
        answer = self.post(path, self.request(patient_id, **how))
        assert answer.status_code == 200, f"{patient_id}: {answer.status_code} {answer.text}"
        body: dict[str, Any] = answer.json()
        return body

    def resolve(self, template: str, context: dict[str, str]) -> Any:
        """What the FHIR server answers to a prefetch template: a resource, or a searchset Bundle of one page, with
        numbers as the server writes them (1.10 stays 1.10)."""
        query = re.sub(r"\{\{context\.(\w+)\}\}", lambda token: context[token[1]], template)
        path, mark, parameters = query.partition("?")
        if not mark:
            return orjson.Fragment(_one(self.store, *path.split("/")))
        found = self.store.search(path, parse_qsl(parameters))
        assert not found.ignored, f"the sandbox does not know {found.ignored} of {template}"
        ids = found.ids[: found.count] if self.first_page_only else found.ids
        bodies = self.store.bodies(path, ids)
        more = (
            {"link": [{"relation": "next", "url": "http://127.0.0.1:1/fhir?_page=2"}]}
            if len(ids) < len(found.ids)
            else {}
        )
        return more | {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found.ids),
            "entry": [{"resource": orjson.Fragment(body), "search": {"mode": "match"}} for body in bodies],
        }


def _one(store: Store, resource_type: str, resource_id: str) -> bytes:
    return store.bodies(resource_type, [resource_id])[0]


def without_uuids(value: Any) -> Any:
    """Cards with their random ids blanked, to compare two answers."""
    if isinstance(value, dict):
        return {k: "…" if k == "uuid" else without_uuids(v) for k, v in value.items()}
    return [without_uuids(item) for item in value] if isinstance(value, list) else value


def drafts(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The resources that accepting suggestions would create."""
    return [
        action["resource"]
        for card in answer["cards"]
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
    ]


AS_OF = date(2026, 6, 1)
"""The tests' own today, as CDS_AS_OF."""
