"""The command `serve` as a process: it ends cleanly with requests in flight, and a kill loses no feedback."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from cds_service.store import Store
from cds_service.store.tables import feedback
from tests.serving import environment, program, serving

SERVICE = "calcinosis-patient-view"
CALL: dict[str, Any] = {
    "hook": "patient-view",
    "hookInstance": "1",
    "context": {"userId": "Practitioner/1", "patientId": "p1"},
}


def settings(folder: Path) -> dict[str, str]:
    return {
        "CDS_PROFILE": "sandbox",
        "CDS_DATABASE_URL": f"sqlite:///{folder}/cds.sqlite3",
        "CDS_DEADLINE_MS": "1500",
    }


def test_request_in_flight_is_answered_before_the_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent_fhir, serving(tmp_path, settings(tmp_path)) as served:
        body = CALL | {"fhirServer": f"http://127.0.0.1:{silent_fhir.getsockname()[1]}/fhir"}
        answers: list[int] = []
        asking = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{served.url}/assessments", json=body, timeout=10).status_code)
        )
        asking.start()
        time.sleep(0.5)
        served.process.send_signal(signal.SIGTERM)
        asking.join(10)
        assert answers == [200]
        assert served.process.wait(15) == 0


def test_acknowledged_feedback_survives_kill_9(tmp_path: Path) -> None:
    with serving(tmp_path, settings(tmp_path)) as served:
        acknowledged = []
        for number in range(10):
            item = {"card": str(UUID(int=number)), "outcome": "overridden", "outcomeTimestamp": "2026-06-01T10:00:00Z"}
            answer = httpx.post(f"{served.url}/cds-services/{SERVICE}/feedback", json={"feedback": [item]}, timeout=10)
            if answer.status_code == 200:
                acknowledged.append(item["card"])
        served.process.kill()
        served.process.wait(10)
    store = Store(f"sqlite:///{tmp_path}/cds.sqlite3")
    with store.engine.connect() as connection:
        kept = {row.card for row in connection.execute(select(feedback.c.card))}
    store.close()
    assert len(acknowledged) == 10
    assert set(acknowledged) <= kept


@pytest.mark.parametrize("command", [["serve"], ["serve", "--workers", "2"], ["sandbox"]])
def test_where_nobody_can_listen_the_start_is_refused_in_one_line(tmp_path: Path, command: list[str]) -> None:
    def started(*address: str) -> tuple[int, str]:
        asked = program(*command, *address)
        ended = subprocess.run(asked, env=environment(settings(tmp_path)), capture_output=True, text=True, timeout=60)
        return ended.returncode, ended.stderr

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert started("--port", str(port)) == (2, f"refused to start: --port {port} is in use; choose another\n")
    code, said = started("--host", "192.0.2.1", "--port", "8099")
    assert (code, said.startswith("refused to start: --host 192.0.2.1 --port 8099: ")) == (2, True)
    assert started("--host", "no.such.host.invalid") == (
        2,
        "refused to start: --host no.such.host.invalid: no such host\n",
    )


def test_what_is_not_needed_to_import_the_application_is_not_imported() -> None:
    """A library for a moment that not every process comes to is imported there: a database opened, a page made."""
    later = ["sqlalchemy", "alembic", "uvicorn", "jinja2", "fhir", "hyperscan", "yaml", "hooks.answers"]
    code = f"import sys, cds_service.server; print([name for name in {later} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], timeout=120, check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
