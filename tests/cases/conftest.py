"""The real application in the sandbox profile on a fixed day, and the sandbox's FHIR server on a real port."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.sandbox.app import SandboxSettings, sandbox_app
from cds_service.sandbox.content import load_all
from cds_service.sandbox.store import Store
from cds_service.settings import Settings
from tests.ehr import AS_OF, Ehr


@pytest.fixture(scope="session")
def service() -> Iterator[TestClient]:
    app = create_app(Settings(profile="sandbox", as_of=AS_OF))
    with TestClient(app, base_url="http://127.0.0.1:8080", client=("127.0.0.1", 50000)) as client:
        yield client


@pytest.fixture(scope="session")
def sandbox_store() -> Store:
    store = Store()
    load_all(store, AS_OF)
    return store


@pytest.fixture(scope="session")
def ehr(service: TestClient, sandbox_store: Store) -> Ehr:
    return Ehr(service, sandbox_store)


@pytest.fixture(scope="session")
def fhir_server(sandbox_store: Store) -> Iterator[str]:
    """The base URL of the sandbox's FHIR server, listening on loopback in a thread."""
    app = sandbox_app(sandbox_store, SandboxSettings("http://127.0.0.1:8080", AS_OF))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/fhir"
    server.should_exit = True
    thread.join(timeout=5)
