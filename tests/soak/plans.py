"""What is asked: one hook call after another, of every kind, each with the faults that its FHIR reads will meet."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from cds_service.sandbox.cases import published_cases
from cds_service.sandbox.store import Store
from hooks.services import PREFETCH
from tests.ehr import Ehr
from tests.soak.fhir import renamed

USER = "Practitioner/sandbox-clinician"
_OBSERVATIONS = ("laboratory", "examinations", "vitals", "answers")
_PARTS = (
    ("patient", "conditions", *_OBSERVATIONS),
    ("conditions", *_OBSERVATIONS),
    ("patient", "medications", "allergies", "procedures", "orders"),
)
"""prefetch keys that a site might have typed in; the rest is read."""
_TYPES = (
    "Condition",
    "Observation",
    "DiagnosticReport",
    "MedicationRequest",
    "AllergyIntolerance",
    "Procedure",
    "ServiceRequest",
    "Patient",
)
_SILENT = 6
"""background patients that must stay silent, besides the published cases."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One hook call. `faults` as they stand in the access token; `prefetch` the keys sent (all, some or none)."""

    path: str
    hook: str
    patient: str
    prefetch: tuple[str, ...]
    reads: bool
    faults: tuple[str, ...] = ()
    drafts: str = ""

    def body(self, number: int, prefetched: dict[str, Any], fhir: str) -> bytes:
        """The request, about the patient under a name of this call's own."""
        body: dict[str, Any] = {
            "hook": self.hook,
            "hookInstance": f"00000000-0000-4000-8000-{number:012d}",
            "context": {"userId": USER, "patientId": self.patient, "encounterId": f"e.n{number}"},
            "prefetch": {key: prefetched[key] for key in self.prefetch},
        }
        if self.drafts:
            order = _draft(self.drafts, self.patient)
            body["context"]["draftOrders"] = {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": order}],
            }
            if self.hook == "order-select":
                body["context"]["selections"] = [f"{order['resourceType']}/{order['id']}"]
        if self.reads:
            body["fhirServer"] = fhir
            token = ".".join(("soak", str(number), *self.faults))
            body["fhirAuthorization"] = {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": 300,
                "scope": "patient/*.read",
                "subject": "soak",
                "patient": f"{self.patient}.n{number}",
            }
        return renamed(orjson.dumps(body), self.patient.encode(), f"{self.patient}.n{number}".encode())


def _draft(drug: str, patient: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": drug},
        "subject": {"reference": f"Patient/{patient}"},
    }


@cache
def patients() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Published cases, and background patients."""
    from cds_service.sandbox.content import background_bundles, unbundle

    cases = tuple(stage.id for stage in published_cases())
    silent = [r["id"] for bundle in background_bundles() for r in unbundle(bundle) if r["resourceType"] == "Patient"]
    return cases, tuple(silent[:_SILENT])


def prefetch_of(ehr: Ehr, patient: str) -> dict[str, Any]:
    """Every prefetch key of a patient, as an EHR would have resolved it."""
    body: dict[str, Any] = orjson.loads(orjson.dumps(ehr.request(patient, prefetch=tuple(PREFETCH))["prefetch"]))
    return body


class Deck:
    """Plans in a mixed order that its seed decides."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.dealt: list[tuple[Plan, str]] = []
        self.outages: list[tuple[Plan, str]] = []

    def deal(self, number: int) -> list[tuple[Plan, str]]:
        """So many plans, each with its tenant; what is asked during the run is drawn from them."""
        self.dealt = [(self._hook(), self.random.choices("abc", (6, 3, 1))[0]) for _ in range(number)]
        self.outages = [(self._outage(), "b") for _ in range(number // 20 + 1)]
        return [*self.dealt, *self.outages]

    def hook(self) -> tuple[Plan, str]:
        return self.random.choice(self.dealt)

    def outage(self) -> tuple[Plan, str]:
        return self.random.choice(self.outages)

    def _hook(self) -> Plan:
        """A patient-view or an order hook, or the whole assessment."""
        draw = self.random
        cases, silent = patients()
        patient = draw.choice(silent if draw.random() < 0.3 else cases)
        path, hook, drafts = "/cds-services/calcinosis-patient-view", "patient-view", ""
        kind = draw.random()
        if kind < 0.35:
            path = "/assessments"
        elif kind < 0.5:
            hook = draw.choice(("order-select", "order-sign"))
            path, drafts = f"/cds-services/calcinosis-{hook}", draw.choice(("diltiazem", "warfarin", "minocycline"))
        sent = draw.choices(((), *_PARTS, tuple(PREFETCH)), (4, 1, 1, 1, 3))[0]
        reads = len(sent) < len(PREFETCH)
        faults: tuple[str, ...] = ()
        if reads and draw.random() < 0.5:
            types = draw.sample(_TYPES, draw.choices((1, 2), (4, 1))[0])
            weights = (1, 4, 2, 2, 2, 2, 1, 3)
            faults = tuple(sorted(f"{t}-{draw.choices(_FAULTS, weights)[0]}" for t in types))
        return Plan(path, hook, patient, sent, reads, faults, drafts)

    def _outage(self) -> Plan:
        """A call while nothing of the FHIR server works."""
        cases, _ = patients()
        fault = self.random.choice(("e500", "hang", "cut"))
        return Plan("/assessments", "patient-view", self.random.choice(cases), (), True, (f"All-{fault}",))


_FAULTS = ("hang", "slow", "e500", "retry", "cut", "garbage", "html", "lost")


def ehr_of(store: Store) -> Ehr:
    """An EHR over the charts, that takes the prefetch from discovery as it is in this checkout."""

    class Discovery:
        def get(self, _: str) -> Any:
            from hooks.services import discovery

            return type("Answer", (), {"status_code": 200, "text": "", "json": staticmethod(discovery)})

    return Ehr(Discovery(), store)
