"""A few changed requests; `make fuzz` sends as many as it has time for."""

from __future__ import annotations

import asyncio

import pytest

from tests.fuzz.mutated import fuzz, problem


@pytest.mark.long
def test_changed_requests_are_answered_as_described() -> None:
    found = asyncio.run(fuzz(60, seed=1, most=40))
    assert found.total == 40
    assert found.wrong == []


def test_what_is_not_described_is_found() -> None:
    assert problem("/assessments", 500, "", b"boom")
    assert problem("/assessments", 400, "application/json", b"{}")
    assert problem("/cds-services/calcinosis-patient-view", 200, "application/json", b'{"cards": [{}]}')
    outcome = b'{"resourceType": "OperationOutcome"}'
    assert problem("/assessments", 400, "application/fhir+json", outcome) is None
