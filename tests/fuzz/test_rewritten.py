"""A few rewritten and broken charts; `make fuzz` asks about as many as it has time for."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from tests.fuzz.losses import ASSESSED, LOSSES
from tests.fuzz.rewritings import TREES, written
from tests.fuzz.rewritten import campaign, differences, prefetch_of


@pytest.mark.long
def test_rewritten_charts_are_answered_alike_and_broken_ones_never_better() -> None:
    found = asyncio.run(campaign(600, seed=1, most=150))
    assert found.asked.total() > 300
    assert found.wrong == []


def test_a_call_written_otherwise_is_the_same_call() -> None:
    value: dict[str, Any] = {'a/é\U0001f9b4"\\\n': [1, 2.31, -0.5, 1e-7, None, True, {"": []}], "b": "x" * 50}
    for number in range(300):
        assert json.loads(written(value, random.Random(number)).decode("utf-8-sig")) == value


@pytest.mark.parametrize("name", TREES)
def test_every_way_changes_a_call(name: str) -> None:
    before = a_call()
    found = []
    for number in range(20):
        found.append(a_call())
        TREES[name](found[-1], random.Random(number))
    assert any(call != before for call in found)


def test_a_better_answer_to_a_broken_chart_is_found() -> None:
    answers = {ASSESSED: assessment("normal", orderable=False)}
    better = {ASSESSED: assessment("normal", orderable=True)}
    judged = [
        lost.wrong(answers, better)
        for number in range(40)
        for loss in LOSSES.values()
        if (lost := loss(a_call(), answers, random.Random(number))) is not None
    ]
    assert any("a draft only now" in line for wrong in judged for line in wrong)
    assert any("normal by a broken result" in line for wrong in judged for line in wrong)
    assert any("complete without" in line for wrong in judged for line in wrong)


def test_differences_are_named_by_their_place() -> None:
    assert differences({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}) == ["/a[1]/b: 2 != 3"]
    assert differences({"a": 1}, {"a": 1}) == []


def a_call() -> dict[str, Any]:
    """A chart on which every way of rewriting and every loss has something to do."""
    owner = {"subject": {"reference": "Patient/p"}}
    lupus = {"resourceType": "Condition", "id": "c", **owner, "code": {"text": "Lupus"}}
    cold = {"resourceType": "Condition", "id": "d", **owner, "code": {"text": "Cold"}}
    lupus["clinicalStatus"] = {"coding": [{"code": "active"}]}
    calcium = {"resourceType": "Observation", "id": "ca", "status": "final", **owner, "valueQuantity": {"value": 2.31}}
    panel = {"resourceType": "Observation", "id": "pa", **owner, "hasMember": [{"reference": "Observation/ca"}]}
    panel["category"] = [{"coding": [{"code": "exam"}]}]
    drug = {"resourceType": "MedicationRequest", "id": "m", **owner, "medicationCodeableConcept": {"text": "aspirin"}}
    patient = {"resourceType": "Patient", "id": "p"}
    return {"context": {"patientId": "p"}, "prefetch": prefetch_of([patient, lupus, cold, calcium, panel, drug])}


def assessment(calcium: str, *, orderable: bool) -> dict[str, Any]:
    found = {"status": calcium, "evidence": ["Observation/ca"], "because": "it is"}
    return {
        "criteria": {"calcium": found, "phosphate": {"status": "unknown"}},
        "therapies": [{"id": "diltiazem", "orderable": orderable}],
        "completeness": {
            need: {"state": "complete"}
            for need in (
                "patient", "conditions", "observations", "diagnosticReports", "medications", "allergies",
                "procedures", "serviceRequests",
            )
        },
    }  # fmt: skip
