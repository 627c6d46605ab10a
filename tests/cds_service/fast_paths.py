"""The fast path of a silent patient beside the long one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.hook_call import HookCall
from cds_service.pipeline import load_brain
from cds_service.settings import Settings
from cds_service.store import EvaluationRecord

PATH = "/cds-services/calcinosis-patient-view"
KEYS = {
    "Condition": "conditions", "Observation": "laboratory", "DiagnosticReport": "reports",
    "MedicationRequest": "medications", "AllergyIntolerance": "allergies", "Procedure": "procedures",
    "ServiceRequest": "orders",
}  # fmt: skip
TEMPLATES = (
    "patient", "conditions", "laboratory", "examinations", "vitals", "answers", "reports", "medications", "allergies",
    "procedures", "orders",
)  # fmt: skip


class Ways:
    """One application, asked twice: as it is, and with the fast path closed."""

    def __init__(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client, self.patch = client, monkeypatch
        self.records: list[EvaluationRecord] = []
        self.glanced = 0
        kept = client.app.state.cds.async_store  # type: ignore[attr-defined]
        record, fast_path = kept.record, HookCall._fast_path

        async def recorded(found: EvaluationRecord) -> None:
            self.records.append(found)
            await record(found)

        def counted(hook_call: HookCall, body: bytes) -> Any:
            found = fast_path(hook_call, body)
            self.glanced += found is not None
            return found

        monkeypatch.setattr(kept, "record", recorded)
        self.open = counted

    def ask(self, body: bytes, short: bool, path: str = PATH) -> tuple[int, Any, list[EvaluationRecord]]:
        self.records.clear()
        self.patch.setattr(HookCall, "_fast_path", self.open if short else lambda *_: None)
        answer = self.client.post(path, content=body, headers={"content-type": "application/json"})
        return answer.status_code, answer.json(), [_comparable(found) for found in self.records]

    def same(self, body: bytes, path: str = PATH) -> tuple[int, bool]:
        """Asserts that both ways say the same; the status, and whether the fast path was taken."""
        before = self.glanced
        short, long = self.ask(body, True, path), self.ask(body, False, path)
        if self.glanced > before:
            assert short == long
        return short[0], self.glanced > before


def _comparable(record: EvaluationRecord) -> EvaluationRecord:
    return msgspec.structs.replace(record, id="", at_ms=0, milliseconds=0.0)


@contextmanager
def answering() -> Iterator[TestClient]:
    """The sandbox's service, its look at bytes ready."""
    settings = Settings(profile="sandbox", max_body_bytes=200_000_000, keep_charts_seconds=0)
    brain = load_brain()
    brain.prescan.prepare()
    with TestClient(create_app(settings, brain=brain), client=("127.0.0.1", 5000)) as client:
        yield client


def envelope(prefetch: dict[str, Any] | None, patient: str = "p", **more: Any) -> dict[str, Any]:
    context = {"userId": "Practitioner/1", "patientId": patient, "encounterId": "e1"}
    return {"hook": "patient-view", "hookInstance": "c6e8", "context": context, "prefetch": prefetch} | more


def bundle(*resources: Any, **more: Any) -> dict[str, Any]:
    entries = [{"fullUrl": f"https://ehr.example.org/{n}", "resource": r} for n, r in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries} | more


def of(kind: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": kind,
        "id": f"{kind}-{number}",
        "subject": {"reference": "Patient/p"},
        "status": "final",
    } | more


def empty() -> dict[str, Any]:
    person = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1970-02-03"}
    return dict.fromkeys(TEMPLATES) | {"patient": person}


def prefetch_of(resources: list[Any]) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for resource in resources:
        key = KEYS.get(str(resource.get("resourceType")))
        if key:
            found.setdefault(key, []).append(resource)
    person = next((r for r in resources if r.get("resourceType") == "Patient"), None)
    return dict.fromkeys(TEMPLATES) | {key: bundle(*rs) for key, rs in found.items()} | {"patient": person}


def ending_in(last: str, request: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in request.items() if key != last} | {last: request[last]}


COLD = of("Condition", code={"text": "Common cold"})
