"""Every state a prefetch key can be in, and what it says about the data need."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cds_service.fhir.client import Deadline
from cds_service.gather import gather
from cds_service.prefetch import read_prefetch
from hooks.services import PREFETCH
from hooks.wire import HookRequest
from mappings.facts import Completeness


def bundle(*types: str, **extra: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": t, "id": "1"}} for t in types], **extra}


def states(**changes: Any) -> dict[str, Completeness]:
    """The needs when all keys are null but for the changes (ABSENT takes a key out)."""
    prefetch = dict.fromkeys(PREFETCH) | changes
    prefetch = {key: value for key, value in prefetch.items() if value is not ABSENT}
    request = HookRequest("patient-view", "i", "p", None, None, {}, prefetch=prefetch)
    return dict(asyncio.run(gather(request, client=None, deadline=Deadline.after(100))).completeness)


ABSENT = object()
NEXT = {"relation": "next", "url": "https://x.example/fhir?p=2"}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
WITHHELD = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "warning", "code": "suppressed", "details": {"coding": [{"code": "59205"}]}}],
}
INFORMATION = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "warning", "code": "informational", "details": {"coding": [{"code": "4119"}]}}],
}


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (None, "complete"),
        (bundle(), "complete"),
        ({"resourceType": "Bundle"}, "complete"),
        (bundle("Condition"), "complete"),
        (OUTCOME, "unavailable"),
        ({"resourceType": "Bundle", "entry": [{"resource": OUTCOME}]}, "unavailable"),
        (bundle() | {"entry": [{"resource": OUTCOME}, *bundle("Condition")["entry"]]}, "partial"),
        (bundle(link=[NEXT]) | {"entry": [{"resource": OUTCOME}]}, "partial"),
        ({"resourceType": "Bundle", "entry": [{"resource": WITHHELD}]}, "partial"),
        ({"resourceType": "Bundle", "entry": [{"resource": INFORMATION}]}, "complete"),
        (bundle("Condition", link=[NEXT]), "partial"),
        (bundle("Observation"), "unavailable"),
        (bundle("Encounter"), "unavailable"),
        ({"response": {"status": "200"}, "resource": {"resourceType": "Condition"}}, "unavailable"),
        ("text", "unavailable"),
        (7, "unavailable"),
        (ABSENT, "unavailable"),
    ],
)
def test_every_state_of_a_key(value: Any, state: str) -> None:
    assert states(conditions=value)["conditions"].state == state


def test_one_absent_observation_key_leaves_observations_partial() -> None:
    found = states(laboratory=ABSENT)["observations"]
    assert found.state == "partial"
    assert "laboratory" in (found.reason or "")


def test_a_failed_observation_key_is_named() -> None:
    found = states(laboratory=OUTCOME)["observations"]
    assert (found.state, "laboratory: forbidden" in (found.reason or "")) == ("partial", True)


def test_a_renamed_key_is_recognised_by_what_is_inside() -> None:
    assert states(conditions=ABSENT, problemList=bundle("Condition"))["conditions"].state == "complete"


def test_one_renamed_key_is_not_all_the_observations() -> None:
    keys = {key: ABSENT for key, (need, _) in PREFETCH.items() if need == "observations"}
    assert states(**keys, bloodPressure=bundle("Observation"))["observations"].state == "partial"


def test_a_wrong_type_is_named_and_to_be_read() -> None:
    found = read_prefetch({"conditions": bundle("Observation")})
    assert ("prefetch.conditions", "wrong resource type") in {(q.reference, q.reason) for q in found.quarantined}
    assert "conditions" in found.missing


def test_an_outcome_is_not_asked_again_and_a_broken_value_is() -> None:
    assert "conditions" not in read_prefetch({"conditions": OUTCOME}).missing
    assert "conditions" in read_prefetch({"conditions": "text"}).missing
