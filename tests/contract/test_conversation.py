"""The conversation by cards on a real FHIR server: ask, accept, read again, go on; dismiss, be quiet, speak again.

Service and FHIR server listen on loopback ports; the service reads the chart from the server, as it reads an EHR.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from cds_service.app import create_app
from cds_service.sandbox.app import SandboxSettings, sandbox_app
from cds_service.sandbox.charts import chart
from cds_service.sandbox.store import Store
from cds_service.settings import Settings
from hooks.knowledge.card_schema import load_override_reasons
from tests.charts import TODAY
from tests.conformance import check_response
from tests.hooks.cards.test_question import ASKED, QUESTIONS
from tests.serving import listening

PATH = "/cds-services/calcinosis-patient-view"
REASONS = load_override_reasons()
NUMBERS = itertools.count(1)
READY = """
    Patient    | male | 49y
    Condition  | Systemic sclerosis | onset -17y | recorded -17y
    Exam       | stony-hard nodules over both elbows, first noticed 3 months ago | -10d
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
    Laboratory | Phosphate | 1.10 mmol/L [0.80–1.50] | -10d
    Laboratory | eGFR | 88 mL/min/1.73m2 | -10d
    Imaging    | X-ray of both elbows | Subcutaneous calcification at both elbows. | -5d
"""


@dataclass
class Clinic:
    """A clinician at an EHR: opens a chart, accepts, dismisses, writes."""

    service: httpx.Client
    fhir: httpx.Client
    charts: Store
    shown: list[dict[str, Any]] = field(default_factory=list)

    def admit(self, table: str) -> str:
        patient = f"talk-{next(NUMBERS)}"
        self.charts.load(chart(table, today=TODAY, patient_id=patient, prefix=f"{patient}-").resources)
        return patient

    def open(self, patient: str, user: str = "Practitioner/1") -> list[dict[str, Any]]:
        body = {
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "fhirServer": str(self.fhir.base_url).rstrip("/"),
            "context": {"userId": user, "patientId": patient},
        }
        answer = self.service.post(PATH, json=body)
        assert answer.status_code == 200, answer.text
        assert check_response(answer.json(), patient=f"Patient/{patient}") == []
        self.shown = answer.json()["cards"]
        return self.shown

    def assessment(self, patient: str) -> dict[str, Any]:
        body = {
            "hook": "patient-view",
            "hookInstance": "x",
            "fhirServer": str(self.fhir.base_url).rstrip("/"),
            "context": {"userId": "Practitioner/1", "patientId": patient},
        }
        found: dict[str, Any] = self.service.post("/assessments", json=body).json()
        return found

    def accept(self, suggestion: dict[str, Any]) -> dict[str, Any]:
        """Creates the draft on the server, then tells the service."""
        (card,) = (c for c in self.shown if suggestion in c.get("suggestions", ()))
        resource = suggestion["actions"][0]["resource"]
        made = self.fhir.post(f"/{resource['resourceType']}", json=resource)
        assert made.status_code == 201, made.text
        self._tell(card, "accepted", acceptedSuggestions=[{"id": suggestion["uuid"]}])
        stored: dict[str, Any] = made.json()
        return stored

    def dismiss(self, card: dict[str, Any], code: str) -> None:
        self._tell(card, "overridden", overrideReason={"reason": {"code": code, "system": REASONS.system}})

    def _tell(self, card: dict[str, Any], outcome: str, **more: Any) -> None:
        item = {"card": card["uuid"], "outcome": outcome, "outcomeTimestamp": datetime.now(UTC).isoformat()} | more
        assert self.service.post(f"{PATH}/feedback", json={"feedback": [item]}).status_code == 200

    def write(self, patient: str, row: str) -> None:
        """A colleague documents something."""
        table = f"Patient | female | 49y\n{row}"
        added = chart(table, today=TODAY, patient_id=patient, prefix=f"new-{next(NUMBERS)}-")
        for resource in added.resources:
            if resource["resourceType"] != "Patient":
                body = msgspec.json.Encoder(decimal_format="number").encode(resource)
                path = f"/{resource['resourceType']}/{resource['id']}"
                made = self.fhir.put(path, content=body, headers={"Content-Type": "application/fhir+json"})
                assert made.status_code in (200, 201), made.text


@pytest.fixture(scope="module")
def clinic() -> Iterator[Clinic]:
    charts = Store()
    service = create_app(Settings(profile="sandbox", as_of=TODAY, suppression=True, database_url="sqlite://"))
    with (
        listening(service) as url,
        listening(sandbox_app(charts, SandboxSettings(url, TODAY))) as ehr,
        httpx.Client(base_url=url, timeout=10) as caller,
        httpx.Client(base_url=f"{ehr}/fhir", timeout=10) as fhir,
    ):
        yield Clinic(caller, fhir, charts)
    charts.close()


def records(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    every = [s for card in cards for s in card.get("suggestions", ())]
    return [s for s in every if s["actions"][0]["resource"]["resourceType"] == "Observation"]


@pytest.mark.parametrize("question", ASKED)
def test_ask_accept_go_on(clinic: Clinic, question: str) -> None:
    for number in range(len(records(clinic.open(clinic.admit(ASKED[question][0]))))):
        patient = clinic.admit(ASKED[question][0])
        offered = records(clinic.open(patient))
        assert {s["actions"][0]["resource"]["code"]["text"] for s in offered} == {QUESTIONS[question].code}
        before = clinic.assessment(patient)
        stored = clinic.accept(offered[number])
        assert stored["status"] == "final"
        assert stored["subject"] == {"reference": f"Patient/{patient}"}
        after = clinic.assessment(patient)
        assert f"Observation/{stored['id']}" in str(after["criteria"]) or after["grade"] == "none"
        assert after != before
        again = records(clinic.open(patient))
        assert QUESTIONS[question].code not in {s["actions"][0]["resource"]["code"]["text"] for s in again}


def test_a_talk_to_its_end(clinic: Clinic) -> None:
    """Unknown hardness, no calcium: asked, answered, calcium arrives, imaging arrives, options open."""
    patient = clinic.admit(
        "Patient | male | 49y\nCondition | SLE | onset -9y\nExam | nodules on the left forearm | -10d\n"
    )
    hard = next(s for s in records(clinic.open(patient)) if "hard" in s["label"])
    assert clinic.shown[0]["source"]["topic"]["code"] == "calcinosisIncomplete"
    clinic.accept(hard)
    (card,) = clinic.open(patient)
    assert "hard nodules" in card["summary"]
    clinic.write(
        patient,
        "Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -1d\nLaboratory | Phosphate | 1.1 mmol/L [0.8–1.5] | -1d",
    )
    (card,) = clinic.open(patient)
    assert "grade probable" in card["detail"]
    clinic.write(patient, "Imaging | X-ray of the left forearm | Subcutaneous calcification of the left forearm. | -1d")
    (card,) = clinic.open(patient)
    assert "grade likely" in card["detail"]
    clinic.accept(next(s for s in records([card]) if "at most five" in s["label"]))
    card, options = clinic.open(patient)
    assert "topical sodium thiosulfate" in options["detail"]
    assert options["suggestions"]


def test_an_accepted_order_is_not_offered_again(clinic: Clinic) -> None:
    patient = clinic.admit(READY)
    first, options = clinic.open(patient)
    order = next(s for s in first["suggestions"] if "parathyroid" in s["label"])
    drug = options["suggestions"][0]
    stored = clinic.accept(order)
    assert (stored["status"], stored["intent"]) == ("draft", "proposal")
    assert {r["reference"].split("/")[0] for r in stored["reasonReference"]} >= {"Condition", "Observation"}
    labels = [s["label"] for card in clinic.open(patient) for s in card.get("suggestions", ())]
    assert order["label"] not in labels
    assert drug["label"] in labels


@pytest.mark.parametrize("reason", [reason.code for reason in REASONS.reasons])
def test_dismissed_quiet_and_a_new_lesion_speaks_again(clinic: Clinic, reason: str) -> None:
    patient = clinic.admit(READY)
    clinic.dismiss(clinic.open(patient)[0], reason)
    assert clinic.open(patient) == []
    assert clinic.open(patient, user="Practitioner/2") == []
    clinic.write(patient, "Laboratory | Creatinine | 70 umol/L | -1d")
    assert clinic.open(patient) == [], "a creatinine is not material"
    clinic.write(patient, "Exam | new stony-hard nodule on the left thigh | -1d")
    assert "thigh" in str(clinic.open(patient)[0])


@pytest.mark.parametrize(
    "row",
    [
        "Laboratory | Calcium | 2.40 mmol/L [2.15–2.57] | -1d",
        "Condition | Dermatomyositis | onset -1y | recorded -1d",
        "Exam | the nodules over both elbows are ulcerated | -1d",
        "Exam | purulent discharge from the nodules over both elbows | -1d",
    ],
    ids=["calcium", "disease", "ulcer", "infection"],
)
def test_what_else_speaks_again(clinic: Clinic, row: str) -> None:
    patient = clinic.admit(READY)
    clinic.dismiss(clinic.open(patient)[0], "patient-ineligible")
    assert clinic.open(patient) == []
    clinic.write(patient, row)
    assert clinic.open(patient)
