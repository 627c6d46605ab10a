"""The service with a tenants file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.cds_clients import BASE, BRAIN


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    clients = []

    def build(*tenants: dict[str, Any]) -> TestClient:
        file = tmp_path / "tenants.yaml"
        file.write_text(yaml.safe_dump({"tenants": list(tenants)}))
        settings = Settings(profile="production", tenants_file=file, public_url=BASE)
        client = TestClient(create_app(settings, brain=BRAIN), base_url=BASE)
        clients.append(client)
        return client

    yield build
    for client in clients:
        client.close()
