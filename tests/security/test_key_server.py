"""Keys fetched from a real server over TLS, and the doctor beside it: what it says of the jku and of the clocks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import date
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli import main
from cds_service.keys import KeyStore, fetch_keys
from cds_service.sandbox.app import SandboxSettings, sandbox_app
from cds_service.sandbox.charts import chart
from cds_service.sandbox.store import Store
from cds_service.tenants import Tenant
from tests.cds_clients import EC, tenant
from tests.certificates import certificate
from tests.serving import listening

DAY = date(2026, 6, 1)
CHART = """
    Patient    | female | 49y
    Condition  | SLE | onset -17y
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
"""


class Hospital:
    """The sandbox's FHIR server with a key set beside it, and a clock of its own."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.fetched, self.ahead, self.status = inner, 0, 0, 200
        self.keys: Any = {"keys": [EC.as_dict(private=False)]}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        date = (b"date", formatdate(time.time() + self.ahead, usegmt=True).encode())
        if scope["type"] == "http" and scope["path"] == "/jwks":
            self.fetched += 1
            headers = [date, (b"location", b"/other"), (b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(self.keys).encode()})
            return

        async def dated(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), date]
            await send(message)

        await self.inner(scope, receive, dated)


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[tuple[Hospital, dict[str, Any]]]:
    store = Store()
    store.load(chart(CHART, today=DAY, patient_id="p1").resources)
    app = Hospital(sandbox_app(store, SandboxSettings("http://127.0.0.1:8080", DAY)))
    cert, key = certificate(tmp_path)
    with listening(app, ssl_certfile=str(cert), ssl_keyfile=str(key), date_header=False) as url:
        more = {"fhirServers": [f"{url}/fhir"], "allowPrivateAddresses": True, "caFile": str(cert)}
        yield app, tenant(jwks=None, jku=f"{url}/jwks", **more)
    store.close()


def test_keys_come_over_tls_and_are_kept(hospital: tuple[Hospital, dict[str, Any]]) -> None:
    app, entry = hospital

    async def go() -> None:
        store, known = KeyStore(), Tenant.model_validate(entry)
        for _ in range(3):
            assert await store.find(known, "ec-1", "ES384")
        assert app.fetched == 1
        assert await fetch_keys(Tenant.model_validate(entry | {"caFile": None})) == {}, "an unknown certificate"
        assert await fetch_keys(Tenant.model_validate(entry | {"allowPrivateAddresses": False})) == {}
        assert app.fetched == 1

    asyncio.run(go())


@pytest.mark.parametrize("fault", ["status 500", "redirect", "no JSON Web Key Set", "too large"])
def test_a_key_server_that_fails_gives_no_key(hospital: tuple[Hospital, dict[str, Any]], fault: str) -> None:
    app, entry = hospital
    app.status = {"status 500": 500, "redirect": 302}.get(fault, 200)
    app.keys = {"no JSON Web Key Set": [1], "too large": {"keys": app.keys["keys"], "x": "y" * 300_000}}.get(
        fault, app.keys
    )
    assert asyncio.run(fetch_keys(Tenant.model_validate(entry))) == {}
    assert app.fetched == 1


@pytest.mark.parametrize(("ahead", "healthy"), [(0, True), (-30, True), (600, False), (-600, False)])
def test_the_doctor_fetches_the_keys_and_compares_the_clocks(
    hospital: tuple[Hospital, dict[str, Any]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    ahead: int,
    healthy: bool,
) -> None:
    app, entry = hospital
    app.ahead = ahead
    file = tmp_path / "tenants.json"
    file.write_text(json.dumps({"tenants": [entry]}))
    asked = ["doctor", "--tenant", "hospital", "--tenants-file", str(file), "--patient", "p1"]
    assert main(asked) == (0 if healthy else 1)
    told = capsys.readouterr().out
    assert "keys: 1 at the jku" in told
    assert "clock: " in told
    app.status = 500
    assert main(asked) == 1
    assert "the jku gives no usable key" in capsys.readouterr().out
