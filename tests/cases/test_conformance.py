"""Every answer about a published case, over HTTP, against the black-box checker of the protocol."""

from __future__ import annotations

import pytest

from cds_service.sandbox.cases import Stage, published_cases
from tests.conformance import check_discovery, check_response
from tests.ehr import Ehr


@pytest.mark.parametrize("stage", published_cases(), ids=lambda stage: stage.id)
def test_cards_conform(ehr: Ehr, stage: Stage) -> None:
    assert check_response(ehr.fire(stage.id), patient=f"Patient/{stage.id}") == []


def test_discovery_conforms(ehr: Ehr) -> None:
    assert check_discovery({"services": list(ehr.services.values())}) == []
