"""A hospital's own codes count in the companion as they do on its cards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cds_service.companion.hospital import hospital
from tests.cds_service.test_switches import OVERLAY

LOCAL = """
    Patient    | female | 49y | name=Case Example
    Resource   | {"resourceType": "Condition", "code": {"coding": [{"system": "urn:hospital", "code": "L77"}]}}
    Exam       | hard nodules on the left forearm for 3 months | -10d
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
"""


@pytest.mark.parametrize("has_overlay", [True, False])
def test_the_overlay_of_the_tenant_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_overlay: bool) -> None:
    file = tmp_path / "overlay.yaml"
    file.write_text(OVERLAY)
    with hospital(tmp_path, monkeypatch, text=LOCAL) as place:
        place.more = {"overlay": str(file)} if has_overlay else {}
        client = place.app()
        page = client.get(place.opened(client)).text
    assert ("on record: systemic lupus erythematosus" in page) is has_overlay
