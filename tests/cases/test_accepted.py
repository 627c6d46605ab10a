"""What a clinician accepted lies in the chart as a draft: it is not suggested a second time."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from cds_service.pipeline import Brain, load_brain
from cds_service.sandbox.cases import published_cases
from hooks.cards import CardContext
from mappings.raw import RawChart
from tests.charts import COMPLETE, TODAY
from tests.ehr import drafts

CASES = ("lopez2017", "thakur-2", "sousa2021")


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain(TODAY)


def suggested(brain: Brain, patient_id: str, resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    facts, assessment = brain.understand(RawChart(patient_id, tuple(resources), COMPLETE))
    ids = itertools.count()
    context = CardContext("https://cds.example.org", "calcinosis-patient-view", lambda: str(next(ids)))
    return drafts({"cards": brain.cards("patient-view", facts, assessment, context)})


def named(resource: dict[str, Any]) -> tuple[str, str]:
    concept = resource.get("code") or resource["medicationCodeableConcept"]
    return resource["resourceType"], concept["coding"][0]["code"]


@pytest.mark.parametrize("case", CASES)
def test_accepted_orders_are_not_suggested_again(brain: Brain, case: str) -> None:
    stage = next(s for s in published_cases() if s.id == f"{case}-imaging")
    chart = stage.build(TODAY)
    first = suggested(brain, chart.patient_id, list(chart.resources))
    assert {r["resourceType"] for r in first} >= {"ServiceRequest"}
    kept = [r | {"id": f"accepted-{n}"} for n, r in enumerate(first) if r["resourceType"] != "Observation"]
    again = suggested(brain, chart.patient_id, [*chart.resources, *kept])
    assert not {named(r) for r in kept} & {named(r) for r in again}


def test_some_of_them_are_drugs(brain: Brain) -> None:
    chart = next(s for s in published_cases() if s.id == "thakur-2-imaging").build(TODAY)
    assert "MedicationRequest" in {r["resourceType"] for r in suggested(brain, chart.patient_id, list(chart.resources))}
