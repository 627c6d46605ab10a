"""Drugs that a server keeps as MedicationStatement, read over HTTP from the sandbox's own FHIR server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from cds_service.evaluate import chart_from_server, evaluate_chart
from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.outbound import Policy, open_client
from cds_service.gather import gather_lazily
from cds_service.pipeline import load_brain
from cds_service.sandbox.fhir_server import fhir_app
from cds_service.sandbox.store import Store
from hooks.wire import FhirAuthorization, HookRequest
from mappings.facts import Completeness
from mappings.raw import RawChart
from tests.charts import TODAY, chart
from tests.serving import listening

PATIENT = "patient-1"
TABLE = """
    Patient    | female | 49y
    Condition  | SLE | onset -17y
    Exam       | stony-hard nodules over both elbows | -10d
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
"""
DRUG = {"resourceType": "Medication", "id": "drug", "code": {"text": "Metoprolol 50 mg"}}
STATED = {
    "resourceType": "MedicationStatement",
    "id": "taken",
    "status": "active",
    "subject": {"reference": f"Patient/{PATIENT}"},
    "medicationReference": {"reference": "Medication/drug"},
    "effectivePeriod": {"start": "2025-01-01"},
}
ORDERED = {
    "resourceType": "MedicationRequest",
    "id": "taken",
    "status": "active",
    "intent": "order",
    "subject": {"reference": f"Patient/{PATIENT}"},
    "medicationReference": {"reference": "Medication/drug"},
    "authoredOn": "2025-01-01",
}


class Ehr:
    """The sandbox's server, and what was asked of it. `wave`: so many searches are answered when all have come."""

    def __init__(self, *resources: dict[str, Any], wave: int = 0) -> None:
        self.store = Store()
        charted = json.loads(
            msgspec.json.Encoder(decimal_format="number").encode(chart(TABLE, patient_id=PATIENT).resources)
        )
        self.store.load([*charted, *resources])
        self._app, self._wave, self.asked = fhir_app(self.store), wave, list[str]()
        self._all = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not scope["path"].endswith("/metadata"):
            self.asked.append(scope["path"])
            if len(self.asked) >= self._wave:
                self._all.set()
            if self._wave:
                await asyncio.wait_for(self._all.wait(), 5)
        await self._app(scope, receive, send)

    @property
    def kinds(self) -> list[str]:
        return [path.strip("/").split("/")[0] for path in self.asked]


def read(ehr: Ehr, *, times: int = 1, statements: bool = False, **request: Any) -> RawChart:
    async def go(base: str) -> RawChart:
        policy = Policy(open_loopback=True)
        async with open_client(policy) as http:
            for _ in range(times):
                hook = HookRequest("patient-view", "i", PATIENT, None, None, {}, fhir_server=base, **request)
                client = FhirClient(http, policy, base)
                found = await gather_lazily(hook, client=client, deadline=Deadline.after(8000), statements=statements)
            return found.chart()

    with listening(ehr) as base:
        return asyncio.run(go(base))


def token(scope: str) -> FhirAuthorization:
    return FhirAuthorization(access_token="t", scope=scope, patient=PATIENT)


@pytest.fixture(scope="module")
def charts() -> Iterator[dict[str, RawChart]]:
    """The same chart with a beta-blocker as a statement, as an order, and without it; as `evaluate` reads it."""
    found = {}
    for name, resources in {"stated": (DRUG, STATED), "ordered": (DRUG, ORDERED), "none": ()}.items():
        with listening(Ehr(*resources)) as base:
            found[name] = asyncio.run(chart_from_server(base, PATIENT, None, 8000))
    yield found


def test_a_drug_that_is_only_stated_decides_as_one_that_was_ordered(charts: dict[str, RawChart]) -> None:
    brain = load_brain(TODAY)

    def decisions(name: str) -> dict[str, tuple[str, tuple[str, ...]]]:
        assessment = evaluate_chart(charts[name], brain, TODAY, None).assessment
        return {one.id: (one.decision, tuple(one.rules)) for one in assessment.therapies}

    stated, ordered, none = (decisions(name) for name in ("stated", "ordered", "none"))
    assert stated == ordered
    assert stated["diltiazem"] != none["diltiazem"]
    assert stated["diltiazem"][0] in ("block", "need", "warn")
    assert charts["stated"].completeness["medications"] == Completeness("complete")


def test_statements_are_searched_for_beside_everything_else() -> None:
    """No search is answered before the last of them has come: one that waited for another would never come."""
    ehr = Ehr(wave=9)
    assert {state.state for state in read(ehr).completeness.values()} == {"complete"}
    assert sorted(ehr.kinds[:9]) == sorted(set(ehr.kinds[:9]))
    assert "MedicationStatement" in ehr.kinds


def medications(found: RawChart) -> list[str]:
    return sorted(r["resourceType"] for r in found.resources if str(r["resourceType"]).startswith("Medication"))


def test_only_what_the_scopes_allow_is_read() -> None:
    orders = Ehr(DRUG, STATED)
    found = read(orders, authorization=token("patient/MedicationRequest.rs patient/Condition.rs"))
    assert "MedicationStatement" not in orders.kinds
    assert found.completeness["medications"] == Completeness("complete")
    statements = Ehr(DRUG, STATED)
    found = read(statements, authorization=token("patient/MedicationStatement.rs patient/Condition.rs"))
    assert "MedicationRequest" not in statements.kinds
    assert medications(found) == ["Medication", "MedicationStatement"]
    assert found.completeness["medications"] == Completeness("partial", "scope")
    empty = read(Ehr(), authorization=token("patient/MedicationStatement.rs patient/Condition.rs"))
    assert empty.completeness["medications"] == Completeness("unavailable", "scope")
    strange = Ehr(DRUG, STATED)
    read(strange, authorization=FhirAuthorization(access_token="t", scope="patient/*.rs", patient="other"))
    assert strange.asked == []


def test_a_prefetch_of_the_medications_is_enough_unless_the_hospital_says_otherwise() -> None:
    """Others are read from the server here, and still: what was sent is the client's word."""
    sent = {"medications": {"resourceType": "Bundle", "entry": []}}
    silent, told = Ehr(DRUG, STATED), Ehr(DRUG, STATED)
    assert medications(read(silent, prefetch=dict(sent))) == []
    assert "MedicationStatement" not in silent.kinds
    assert medications(read(told, prefetch=dict(sent), statements=True)) == ["Medication", "MedicationStatement"]
    assert "MedicationRequest" not in told.kinds
    brought = Ehr(DRUG, STATED)
    entry = [{"resource": {**STATED, "id": "sent", "medicationReference": {"display": "Metoprolol"}}}]
    found = read(brought, prefetch={"statements": {"resourceType": "Bundle", "entry": entry}}, statements=True)
    assert "MedicationStatement" not in brought.kinds
    assert medications(found) == ["MedicationStatement"]


def test_with_a_whole_prefetch_statements_alone_are_read() -> None:
    from hooks.services import PREFETCH

    ehr = Ehr(DRUG, STATED)
    found = read(ehr, prefetch=dict.fromkeys(PREFETCH), statements=True)
    assert ehr.kinds == ["MedicationStatement", "Medication"]
    assert medications(found) == ["Medication", "MedicationStatement"]
    assert {state.state for state in found.completeness.values()} == {"complete"}


def test_a_server_that_does_not_list_the_type_is_not_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from cds_service.sandbox import conformance

    monkeypatch.setattr(conformance, "TYPES", tuple(t for t in conformance.TYPES if t != "MedicationStatement"))
    ehr = Ehr()
    found = read(ehr, times=3)
    assert ehr.kinds.count("MedicationStatement") == 1, "once, while it was not known yet"
    assert ehr.kinds.count("MedicationRequest") == 3
    assert found.completeness["medications"] == Completeness("complete")
    assert found.quarantined == ()
