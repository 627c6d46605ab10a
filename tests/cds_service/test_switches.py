"""What each key of the tenants file does, and the switches of a running server."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import yaml
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.pipeline import load_brain
from cds_service.settings import Settings
from cds_service.store import Store, StoreError
from tests.cds_clients import BASE, PATH, tenant, token
from tests.charts import DETECTION, chart
from tests.serving import serving

OVERLAY = """overlay: "1"
source: reviewed by the test, 2026-06-01
codes:
  - system: urn:hospital
    code: L77
    display: Lupus
    concepts: [ctd.sle]
"""
BRAIN = load_brain()


def body(patient: str = "p1", text: str = DETECTION) -> dict[str, Any]:
    bundle = chart(text, today=datetime.now(UTC).date(), patient_id=patient).json()
    return {
        "hook": "patient-view",
        "hookInstance": "1",
        "context": {"userId": "Practitioner/1", "patientId": patient},
        "prefetch": {"conditions": bundle, "laboratory": None, "examinations": None},
    }


def app_of(folder: Path, *tenants: dict[str, Any], **settings: Any) -> TestClient:
    file = folder / "tenants.yaml"
    file.write_text(yaml.safe_dump({"tenants": list(tenants)}))
    made = Settings(profile="production", tenants_file=file, public_url=BASE, **settings)
    return TestClient(create_app(made, brain=BRAIN), base_url=BASE)


def fire(client: TestClient, bearer: str | None = None, **changes: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {bearer or token()}"}
    answer: httpx.Response = client.post(PATH, json=body(**changes), headers=headers)
    return answer


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"corsOrigins": ["*"]}, "corsOrigins"),
        ({"corsOrigins": ["https://*.example.org"]}, "corsOrigins"),
        ({"corsOrigins": ["http://ehr.example.org"]}, "corsOrigins"),
        ({"frameAncestors": ["https://ehr.example.org; script-src *"]}, "frameAncestors"),
        ({"frameAncestors": ["https://ehr.example.org/path"]}, "frameAncestors"),
        ({"caFile": "/nowhere/ca.pem"}, "caFile"),
        ({"overlay": "/nowhere/overlay.yaml"}, "overlay"),
        ({"jwks": None, "jwksFile": "/nowhere/keys.json"}, "jwksFile"),
        ({"jwks": {"keys": []}}, "jwks"),
        ({"jwks": {"keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}]}}, "jwks"),
        ({"maxPerMinute": 0}, "maxPerMinute"),
        ({"maxConcurrent": 0}, "maxConcurrent"),
    ],
    ids=str,
)
def test_a_tenant_whose_files_or_origins_are_wrong_is_disabled(
    tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    good = tenant(id="good", issuer="https://good.example.org")
    client = app_of(tmp_path, tenant(**changes), good)
    (problem,) = client.app.state.cds.tenants.problems  # type: ignore[attr-defined]
    assert named in problem
    assert fire(client).status_code == 401
    assert fire(client, token(iss="https://good.example.org")).status_code == 200


def test_overlay_is_the_tenants_own(tmp_path: Path) -> None:
    file = tmp_path / "overlay.yaml"
    file.write_text(OVERLAY)
    other = tenant(id="other", issuer="https://other.example.org")
    client = app_of(tmp_path, tenant(overlay=str(file)), other)
    local = body(text=DETECTION.replace("    Condition  | SLE | onset -17y\n", ""))
    local["prefetch"]["conditions"]["entry"].append(
        {
            "resource": {
                "resourceType": "Condition",
                "id": "c",
                "subject": {"reference": "Patient/p1"},
                "code": {"coding": [{"system": "urn:hospital", "code": "L77"}]},
                "onsetDateTime": "2009-01-01",
                "verificationStatus": {"coding": [{"code": "confirmed"}]},
            }
        }
    )
    shown = {}
    for issuer in ("https://ehr.example.org", "https://other.example.org"):
        answer = client.post(PATH, json=local, headers={"Authorization": f"Bearer {token(iss=issuer)}"})
        shown[issuer] = len(answer.json()["cards"])
    assert shown["https://ehr.example.org"] > 0
    assert shown["https://other.example.org"] == 0


def test_the_day_is_that_of_the_tenants_time_zone(tmp_path: Path) -> None:
    zones = {"east": "Pacific/Kiritimati", "west": "Pacific/Niue"}  # where it is never the same day
    made = [tenant(id=name, issuer=f"https://{name}.example.org", timeZone=zone) for name, zone in zones.items()]
    state = app_of(tmp_path, *made).app.state.cds  # type: ignore[attr-defined]
    for name, zone in zones.items():
        brain = state.brain_of(state.tenants.by_id(name))
        assert brain.today() == datetime.now(ZoneInfo(zone)).date()
        assert state.brain_of(state.tenants.by_id(name)) is brain, "what is kept of a chart belongs to one"


def test_wrong_overlay_disables_its_tenant_and_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "overlay.yaml"
    file.write_text(OVERLAY.replace("ctd.sle", "ctd.nonsense"))
    client = app_of(tmp_path, tenant(overlay=str(file)))
    assert "overlay" in client.app.state.cds.tenants.problems[0]  # type: ignore[attr-defined]


def test_own_rate_and_its_retry_after(tmp_path: Path) -> None:
    client = app_of(tmp_path, tenant(maxPerMinute=6), tenant(id="b", issuer="https://b.example.org"))
    assert fire(client).status_code == 200
    refused = fire(client)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert fire(client, token(iss="https://b.example.org")).status_code == 200


def test_preflight_from_outside_the_network(tmp_path: Path) -> None:
    client = app_of(tmp_path, tenant(corsOrigins=["https://ehr.example.org"]))
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Private-Network": "true"}
    name = "access-control-allow-private-network"
    allowed = client.options(PATH, headers=asked | {"Origin": "https://ehr.example.org"})
    assert allowed.headers[name] == "true"
    assert allowed.headers["access-control-allow-origin"] == "https://ehr.example.org"
    assert "access-control-allow-credentials" not in allowed.headers
    refused = client.options(PATH, headers=asked | {"Origin": "https://evil.example.org"})
    assert name not in refused.headers
    assert "access-control-allow-origin" not in refused.headers


def test_pages_may_be_framed_by_those_whom_tenants_name(tmp_path: Path) -> None:
    page = {"Accept": "text/html"}
    nobody = app_of(tmp_path, tenant()).get("/evidence", headers=page)
    assert "frame-ancestors 'none'" in nobody.headers["content-security-policy"]
    named = app_of(tmp_path, tenant(frameAncestors=["https://ehr.example.org"])).get("/evidence", headers=page)
    assert "frame-ancestors https://ehr.example.org" in named.headers["content-security-policy"]


def test_kill_file_silences_everybody_until_it_goes(tmp_path: Path) -> None:
    kill = tmp_path / "stop"
    client = app_of(tmp_path, tenant(), kill_file=kill)
    assert fire(client, patient="p1").json()["cards"]
    kill.touch()
    assert fire(client, patient="p2").json() == {"cards": []}
    kill.unlink()
    assert fire(client, patient="p3").json()["cards"]


def test_evaluations_wait_for_a_database_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, back = Store.record, False

    def record(self: Store, *given: Any) -> None:
        if not back:
            raise StoreError("away")
        real(self, *given)

    monkeypatch.setattr(Store, "record", record)
    monkeypatch.setattr(Store, "ping", lambda _: None if back else (_ for _ in ()).throw(StoreError("away")))
    with app_of(tmp_path, tenant()) as client:
        assert fire(client).status_code == 200
        store = client.app.state.cds.async_store.store  # type: ignore[attr-defined]
        back = True
        for _ in range(100):
            if store.verify_audit().rows:
                break
            time.sleep(0.05)
        assert [row["action"] for row in store.audit_rows()] == ["evaluate"]


@pytest.mark.long
def test_a_running_server_reads_its_tenants_on_sighup(tmp_path: Path) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(yaml.safe_dump({"tenants": [tenant()]}))
    settings = {
        "CDS_TENANTS_FILE": str(file),
        "CDS_PUBLIC_URL": BASE,
        "CDS_DATABASE_URL": f"sqlite:///{tmp_path}/cds.sqlite3",
    }
    with serving(tmp_path, settings) as served:

        def cards(patient: str) -> int:
            headers = {"Authorization": f"Bearer {token()}"}
            answer = httpx.post(f"{served.url}{PATH}", json=body(patient), headers=headers, timeout=10)
            assert answer.status_code == 200, answer.text
            return len(answer.json()["cards"])

        assert cards("p1") > 0
        file.write_text(yaml.safe_dump({"tenants": [tenant(mode="off")]}))
        served.process.send_signal(signal.SIGHUP)
        begun = time.monotonic()
        while cards("p2"):
            assert time.monotonic() - begun < 10
            time.sleep(0.1)
        assert served.stop() in (0, -signal.SIGTERM)
