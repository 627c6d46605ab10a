"""The doctor against the sandbox's FHIR server as a process: what works and what is withheld, and no chart content."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from cds_service import doctor, tenants
from cds_service.cli import main
from cds_service.sandbox.app import SandboxSettings, sandbox_app
from cds_service.sandbox.charts import chart
from cds_service.sandbox.store import Store
from tests.serving import listening

DAY = date(2026, 6, 1)
NOTES = [
    {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}
    for attachment in (
        {"contentType": "text/plain", "data": base64.b64encode(b"Kanarienvogel").decode()},
        {"contentType": "text/plain", "url": "Binary/none"},
    )
]


def _two_patients() -> Any:
    store = Store()
    store.load(
        chart("Patient | female | 49y\nCondition | SLE | onset -17y", today=DAY, patient_id="canary-1").resources
    )
    store.load([{"resourceType": "Patient", "id": "other"}])
    return sandbox_app(store, SandboxSettings("http://127.0.0.1:8080", DAY))


@pytest.fixture
def server() -> Iterator[str]:
    store = Store()
    table = """
        Patient    | female | 49y | name=Kanarienvogel Example
        Condition  | SLE | onset -17y
        Exam       | stony-hard nodules Kanarienvogel | -10d
        Laboratory | Calcium | 2.3177 mmol/L [2.15–2.57] | -10d
        Statement  | Metoprolol
    """
    table += "".join(f"        Resource | {json.dumps(note)}\n" for note in NOTES)
    store.load(chart(table, today=DAY, patient_id="canary-1", prefix="canary-").resources)
    with listening(sandbox_app(store, SandboxSettings("http://127.0.0.1:8080", DAY))) as url:
        yield f"{url}/fhir"
    store.close()


def file_for(server: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> Path:
    """A tenants file whose server is the loopback one: https is asked of real ones, so that check is left out here."""
    monkeypatch.setattr(tenants, "_SCHEMES", ("https", "http"))
    entry = {
        "id": "hospital",
        "issuer": "https://ehr.example.org",
        "audience": "https://cds.invalid",
        "jwks": {"keys": [ECKey.generate_key("P-384", {"kid": "a"}).as_dict(private=False)]},
        "fhirServers": [server],
        "allowPrivateAddresses": True,
    }
    file = folder / "tenants.json"
    file.write_text(json.dumps({"tenants": [entry | changes]}))
    return file


def run(file: Path, patient: str = "canary-1") -> int:
    return main(["doctor", "--tenant", "hospital", "--tenants-file", str(file), "--patient", patient])


def test_healthy_server(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file_for(server, tmp_path, monkeypatch)) == 0
    told = capsys.readouterr().out
    assert "ok  conditions " in told
    assert "mmol/L" in told
    assert "with reference range" in told
    assert "Observation: http://loinc.org" in told
    assert "clock: " in told
    assert "discovery: not reached" in told
    assert "medications: 1 MedicationStatement resource(s) beside these" in told
    assert "medicationStatements" in told
    assert told.strip().endswith("healthy")
    for canary in ("Kanarienvogel", "canary-", "2.3177", "2.15"):
        assert canary not in told


def test_another_patients_data_are_no_health(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that answers for somebody else, as one does that gives a merged record without saying so."""
    read_need = doctor.read_need

    async def mixed_up(client: Any, need: Any, patient: str, deadline: Any) -> Any:
        return await read_need(client, need, patient if need == "patient" else "canary-1", deadline)

    with listening(_two_patients()) as url:
        monkeypatch.setattr(doctor, "read_need", mixed_up)
        assert run(file_for(f"{url}/fhir", tmp_path, monkeypatch), "other") == 1
    told = capsys.readouterr().out
    assert "ok  patient " in told
    assert "!!  conditions             1 resource(s)  nothing but resources of another patient" in told
    assert "conditions: 1 resource(s) of another patient are left out" in told
    assert "ok  procedures             0 resource(s)" in told
    assert "canary-" not in told


def test_what_is_withheld_is_named_and_the_exit_code_says_so(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file_for(server, tmp_path, monkeypatch), "nobody") == 1
    assert "!!  patient " in capsys.readouterr().out
    assert run(file_for(server, tmp_path, monkeypatch, allowPrivateAddresses=False)) == 1
    assert "address not allowed" in capsys.readouterr().out


def test_notes_are_looked_at_where_the_hospital_has_them_read(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file_for(server, tmp_path, monkeypatch)) == 0
    assert "clinical notes" not in capsys.readouterr().out
    assert run(file_for(server, tmp_path, monkeypatch, clinicalNotes=True)) == 0
    told = capsys.readouterr().out
    assert "clinical notes: 2 of the newest, 1 with a text that can be read" in told
    assert "Kanarienvogel" not in told


def test_unknown_and_disabled_tenants(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = file_for(server, tmp_path, monkeypatch, mode="loud")
    assert run(file) == 1
    assert "mode" in capsys.readouterr().err
    assert main(["doctor", "--tenant", "other", "--tenants-file", str(file), "--patient", "1"]) == 1
    assert "not in the tenants file" in capsys.readouterr().err
