"""Tenants: strict entries, the wrong one disabled and named, switches that act without a restart."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from joserfc.jwk import ECKey
from starlette.testclient import TestClient

from cds_service import tenants as module
from cds_service.app import create_app
from cds_service.errors import SettingsError
from cds_service.settings import Settings
from cds_service.store import Store
from cds_service.store.tables import evaluations
from cds_service.tenants import load_tenants
from tests.cds_clients import BASE, EC, PATH, tenant, token
from tests.charts import DETECTION, chart


def write(file: Path, *entries: Any, later: int = 0) -> Path:
    data = {"tenants": list(entries)}
    file.write_text(json.dumps(data) if file.suffix == ".json" else yaml.safe_dump(data))
    os.utime(file, ns=(10**18 + later, 10**18 + later))
    return file


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"id": "a b"}, "id"),
        ({"colour": "red"}, "colour"),
        ({"issuer": ""}, "issuer"),
        ({"algorithms": ["HS256"]}, "algorithms"),
        ({"algorithms": ["none"]}, "algorithms"),
        ({"algorithms": []}, "algorithms"),
        ({"audience": "http://cds.example.org"}, "audience"),
        ({"jku": "https://x.example.org/jwks"}, "jwks"),
        ({"jwks": None}, "jwks"),
        ({"fhirServers": ["http://fhir.example.org"]}, "fhirServers"),
        ({"fhirServers": ["https://user:secret@fhir.example.org"]}, "fhirServers"),
        ({"fhirServers": ["https://fhir.example.org/r4?tenant=1"]}, "fhirServers"),
        ({"fhirServers": ["https://fhir.example.org/r4#top"]}, "fhirServers"),
        ({"fhirServers": ["https://fhir.example.org:port"]}, "fhirServers"),
        ({"fhirServers": ["https://fhir.example.org/a/../b"]}, "fhirServers"),
        ({"fhirServers": ["https://"]}, "fhirServers"),
        ({"audience": "https://user@cds.example.org"}, "audience"),
        ({"companion": {"clientId": "c", "authorizationServers": ["https://u:p@login.example.org"]}}, "companion"),
        ({"mode": "loud"}, "mode"),
        ({"rollout": 101}, "rollout"),
        ({"units": "imperial"}, "units"),
        ({"retentionDays": 0}, "retentionDays"),
        ({"dialect": "klingon"}, "dialect"),
        ({"language": "de"}, "language"),
    ],
)
def test_wrong_tenant_is_named_and_the_others_run(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    good = tenant(id="good", issuer="https://good.example.org")
    found = load_tenants(write(tmp_path / "t.json", tenant() | changes, good))
    (problem,) = found.problems
    assert problem.startswith("tenants[0]")
    assert key in problem
    assert [t.id for t in found.with_issuer("https://good.example.org")] == ["good"]
    assert found.with_issuer("https://ehr.example.org") == []


@pytest.mark.parametrize("content", ["- a", "tenants: {}", "{", "\x00"])
def test_file_that_is_no_list_of_tenants_stops_the_start(tmp_path: Path, content: str) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(content)
    with pytest.raises(SettingsError, match="CDS_TENANTS_FILE"):
        load_tenants(file)


def test_changes_act_without_a_restart_and_a_broken_file_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module._CHECK_SECONDS <= 60
    monkeypatch.setattr(module, "_CHECK_SECONDS", -1.0)
    file = write(tmp_path / "t.yaml", tenant())
    found = load_tenants(file)
    assert found.with_issuer("https://ehr.example.org")[0].mode == "live"
    write(file, tenant(mode="off"), later=10**9)
    assert found.with_issuer("https://ehr.example.org")[0].mode == "off"
    file.write_text("{")
    assert found.with_issuer("https://ehr.example.org")[0].mode == "off"
    file.unlink()
    assert found.with_issuer("https://ehr.example.org")[0].mode == "off"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "_CHECK_SECONDS", -1.0)
    return write(tmp_path / "t.yaml", tenant())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/cds.sqlite3")


@pytest.fixture
def client(file: Path, store: Store) -> Iterator[TestClient]:
    with TestClient(create_app(_settings(file), store=store), base_url=BASE) as found:
        yield found


def _settings(file: Path) -> Settings:
    return Settings(profile="production", tenants_file=file, public_url=BASE)


def fire(client: TestClient, patient: str = "patient-1") -> list[Any]:
    bundle = chart(DETECTION, today=datetime.now(UTC).date(), patient_id=patient).json()
    body = {
        "hook": "patient-view",
        "hookInstance": "1",
        "context": {"userId": "Practitioner/1", "patientId": patient},
        "prefetch": {"conditions": bundle, "laboratory": None, "examinations": None},
    }
    answer = client.post(PATH, json=body, headers={"Authorization": f"Bearer {token()}"})
    assert answer.status_code == 200, answer.text
    cards: list[Any] = answer.json()["cards"]
    return cards


def outcomes(store: Store) -> list[str]:
    with store.engine.connect() as connection:
        return [row.outcome for row in connection.execute(evaluations.select())]


def test_kill_switch_under_way(client: TestClient, file: Path) -> None:
    assert fire(client)
    write(file, tenant(mode="off"), later=10**9)
    assert fire(client, "patient-2") == []
    write(file, tenant(), later=2 * 10**9)
    assert fire(client, "patient-3")


def test_silent_evaluates_and_records_and_shows_nothing(file: Path, store: Store) -> None:
    write(file, tenant(mode="silent"), later=10**9)
    with TestClient(create_app(_settings(file), store=store), base_url=BASE) as client:
        assert fire(client) == []
    assert outcomes(store) == ["silent"]


def test_rollout_is_a_stable_share_of_the_patients(file: Path, store: Store) -> None:
    write(file, tenant(rollout=50), later=10**9)
    patients = [f"p{number}" for number in range(30)]
    with TestClient(create_app(_settings(file), store=store), base_url=BASE) as client:
        first = [bool(fire(client, patient)) for patient in patients]
        assert first == [bool(fire(client, patient)) for patient in patients]
    assert 5 < sum(first) < 25
    assert set(outcomes(store)) == {"shown", "rollout"}


def test_suppression_is_on_in_production(client: TestClient, store: Store) -> None:
    (card, *_) = fire(client)
    reason = {
        "code": "patient-ineligible",
        "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
    }
    said = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-06-01T10:00:00Z"}
    body = {"feedback": [said | {"overrideReason": {"reason": reason}}]}
    headers = {"Authorization": f"Bearer {token(aud=f'{BASE}{PATH}/feedback')}"}
    assert client.post(f"{PATH}/feedback", json=body, headers=headers).status_code == 200
    assert fire(client) == []


def test_metrics_name_the_tenant_of_the_file_only(client: TestClient) -> None:
    fire(client)
    body = {"hook": "x"}
    bad = token(ECKey.generate_key("P-384", {"kid": "ec-1"}), iss="https://nobody.example.org")
    client.post(PATH, json=body, headers={"Authorization": f"Bearer {bad}"})
    text = client.get("/metrics").text
    assert 'status="200",tenant="hospital"' in text
    assert 'status="401",tenant="-"' in text
    assert "nobody" not in text
    assert EC.kid not in text
