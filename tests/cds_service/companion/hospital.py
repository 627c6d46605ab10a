"""A hospital in production: one real FHIR and authorization server over HTTP, and any number of our processes before
it, each with the same tenants file. Only the browser's hop is a test client, since it must be https."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey
from starlette.testclient import TestClient

from cds_service import tenants
from cds_service.app import create_app
from cds_service.pipeline import Brain, load_brain
from cds_service.sandbox.app import SandboxSettings, sandbox_app
from cds_service.sandbox.authorization import STYLE
from cds_service.sandbox.charts import chart
from cds_service.sandbox.registration import Clients, Registered
from cds_service.sandbox.store import Store
from cds_service.settings import Settings
from tests.serving import listening

DAY = date(2026, 6, 1)
PUBLIC_URL = "https://cds.example.org"
PATIENT, OTHER = "talk-1", "talk-2"
PSEUDONYMS = "0123456789-abcdefghijklmnopqrstuvwxyz"
KEY = "a-session-key-for-these-tests-0123456789"
CHART = """
    Patient    | female | 49y | name=Case Example
    Condition  | SLE | onset -17y
    Exam       | nodules on the left forearm | -10d
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
"""


@dataclass
class Hospital:
    """`origin` is the record system; `app()` starts one process of ours."""

    origin: str
    folder: Path
    brain: Brain
    stack: ExitStack
    companion: dict[str, Any] = field(default_factory=lambda: {"clientId": "calcinosis-companion"})
    more: dict[str, Any] = field(default_factory=dict)
    """further keys of the tenant."""

    def app(self, *, session_key: str | None = None, database: str | None = None) -> TestClient:
        file = self.folder / "tenants.json"
        file.write_text(
            json.dumps(
                {
                    "tenants": [
                        {
                            "id": "hospital",
                            "issuer": "https://ehr.example.org",
                            "audience": PUBLIC_URL,
                            "jwks": {"keys": [ECKey.generate_key("P-384", {"kid": "a"}).as_dict(private=False)]},
                            "fhirServers": [f"{self.origin}/fhir", self.origin],
                            "allowPrivateAddresses": True,
                            "companion": self.companion,
                            **self.more,
                        }
                    ]
                }
            )
        )
        settings = Settings(
            tenants_file=file,
            public_url=PUBLIC_URL,
            database_url=database or f"sqlite:///{self.folder}/cds.sqlite3",
            pseudonym_key=PSEUDONYMS,  # type: ignore[arg-type]
            session_key=session_key,  # type: ignore[arg-type]
        )
        client = TestClient(create_app(settings, brain=self.brain), base_url=PUBLIC_URL, follow_redirects=False)
        return self.stack.enter_context(client)

    def callback(self, client: TestClient, patient: str = PATIENT, scope: str | None = None) -> httpx.Response:
        """A launch through the authorization server, up to the answer of our callback."""
        more = {"scope": scope} if scope else {}
        made = httpx.post(f"{self.origin}/sandbox/launch", params={"patient": patient, **more}, timeout=20).json()
        first = client.get("/companion/launch", params={"iss": f"{self.origin}/fhir", "launch": made["launch"]})
        assert first.status_code == 302, first.text
        back = httpx.get(first.headers["location"], timeout=20).headers["location"]
        return client.get(back.removeprefix(PUBLIC_URL))

    def opened(self, client: TestClient, patient: str = PATIENT, scope: str | None = None) -> str:
        """The path of the page."""
        answer = self.callback(client, patient, scope)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def observations(self) -> list[dict[str, Any]]:
        found = httpx.get(f"{self.origin}/fhir/Observation?patient={PATIENT}&category=exam", timeout=20).json()
        return [entry["resource"] for entry in found.get("entry", ())]


def post(client: TestClient, path: str, what: str, body: Any) -> httpx.Response:
    """As the page's script posts: with the key that the page holds."""
    key = re.search(r'data-key="([^"]+)"', client.get(path).text)
    assert key is not None
    return client.post(f"{path}/{what}", json=body, headers={"X-Companion-Key": key[1]})


@cache
def _brain() -> Brain:
    return load_brain(DAY)


@contextmanager
def hospital(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    known: dict[str, Registered] | None = None,
    seconds: float = 3600,
    style: Mapping[str, str] = STYLE,
    text: str = CHART,
) -> Iterator[Hospital]:
    monkeypatch.setattr(tenants, "_SCHEMES", ("https", "http"))
    store = Store()
    for patient in (PATIENT, OTHER):
        store.load(chart(text, today=DAY, patient_id=patient, prefix=f"{patient}-").resources)
    clients = Clients(known) if known is not None else Clients()
    settings = SandboxSettings(PUBLIC_URL, DAY, clients=clients, token_seconds=seconds, style=style)
    with ExitStack() as stack:
        origin = stack.enter_context(listening(sandbox_app(store, settings)))
        yield Hospital(origin, folder, _brain(), stack)
    store.close()
