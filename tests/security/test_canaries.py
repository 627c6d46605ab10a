"""Canaries through a real service: its process, its database, a FHIR server, every address of it, every fault.

Each place of a chart or a call holds a word of its own. The words may come back in the answer, and nowhere else: not in
what the process prints at its most talkative, not in a metric, an error, the audit trail, the database's bytes, or the
process table. What docs/hospital/data-flow.md lets stay (comments of feedback) is the one exception, by its word.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.sandbox.app import SandboxSettings, sandbox_app
from cds_service.sandbox.charts import chart
from cds_service.sandbox.store import Store as Sandbox
from tests.databases import NoPostgresError, postgres_server
from tests.security.canaries import CANARIES, CHART, DAY, PATH, PATIENT, STORED, World, found_in
from tests.security.canary_calls import everything, hook
from tests.serving import free_port, listening

pytestmark = pytest.mark.long


def test_a_canary_is_found_however_it_is_written() -> None:
    for content in (b"x Qznotetext y", b"%51", base64.b64encode(b"Qznotetext"), "Qznotetext".encode("utf-16-le")):
        assert found_in(content) == ([] if content == b"%51" else ["note"])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """On PostgreSQL with sessions of the companion sealed in the database, as where there are several processes."""
    folder, port = tmp_path_factory.mktemp("canaries"), free_port()
    with contextlib.ExitStack() as stack:
        database = {"CDS_DATABASE_URL": f"sqlite:///{folder}/cds.sqlite3"}
        if request.param == "postgresql":
            try:
                url = stack.enter_context(postgres_server())
            except NoPostgresError as error:
                pytest.skip(str(error))
            database = {
                "CDS_DATABASE_URL": url,
                "CDS_PSEUDONYM_KEY": "canaries-0123456789-abcdefghijklmnop",
                "CDS_SESSION_KEY": "canaries-ponmlkjihgfedcba-9876543210",
            }
        store = Sandbox()
        stack.callback(store.close)
        store.load(chart(CHART, today=DAY, patient_id=PATIENT, prefix="qzresourceid-").resources)
        page = stack.enter_context(listening(sandbox_app(store, SandboxSettings(f"http://127.0.0.1:{port}", DAY))))
        made = World(folder, f"{page}/fhir", page, port, database)
        stack.callback(made.stop)
        everything(made, page)
        yield made


def test_every_address_of_the_openapi_was_called(world: World) -> None:
    called = {(a.request.method, a.request.url.path) for a in world.answers}
    for path, methods in world.http.get(f"{world.url}/openapi.json").json()["paths"].items():
        pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path.replace("$", r"\$")))
        for method in methods:
            assert any(m == method.upper() and pattern.fullmatch(p) for m, p in called), f"{method} {path}"


def test_answers_of_every_kind_were_given(world: World) -> None:
    assert {200, 303, 400, 401, 403, 404, 405, 410, 412, 415} <= {a.status_code for a in world.answers}


def test_errors_say_nothing(world: World) -> None:
    for answer in world.answers:
        if answer.status_code >= 400:
            assert not found_in(answer.content), f"{answer.request.method} {answer.status_code}: {answer.text[:500]}"


def test_headers_of_answers_say_nothing(world: World) -> None:
    for answer in world.answers:
        sent_back = {k: v for k, v in answer.headers.items() if k not in ("location", "access-control-allow-origin")}
        assert not found_in(json.dumps(sent_back).encode()), answer.request.url.path


def test_metrics_say_nothing(world: World) -> None:
    told = world.http.get(f"{world.url}/metrics").content
    assert b"cds_requests_total" in told
    assert not found_in(told)


def test_the_process_table_says_nothing(world: World) -> None:
    folder = Path(f"/proc/{world.process.pid}")
    if not folder.exists():
        pytest.skip("no /proc on this machine")
    for name in ("cmdline", "comm", "environ"):
        assert not found_in((folder / name).read_bytes()), name


def test_commands_of_the_operator_say_nothing(world: World) -> None:
    assert not found_in(world.command("audit", "verify"))
    exported = world.command("audit", "export")
    assert b'"AuditEvent"' in exported
    assert not found_in(exported)
    for form in ("html", "csv", "json"):
        report = world.command("report", "--format", form, "--from", "2026-01-01", "--to", "2027-12-31")
        assert report
        assert not found_in(report), form


def test_what_is_kept_and_printed_says_nothing(world: World) -> None:
    """Last: a patient is erased, then the database is taken away under the running service, calls go on, and every
    file is read."""
    time.sleep(1.5)  # what is written later is written
    kept = world.kept()
    assert any(b"calcinosisDetection" in content for content in kept.values())
    assert any(CANARIES["comment"].encode() in content for content in kept.values()), "comments are kept"
    for name, content in kept.items():
        assert not found_in(content, STORED), name
    sealed = world.rows("sessions")
    assert bool(sealed) == ("CDS_SESSION_KEY" in world.settings), "a session of the companion is open"
    assert not found_in(b"".join(sealed))
    _erase(world)
    world.take_the_database_away()
    for _ in range(3):
        assert world.send("POST", PATH, json=hook()).status_code in (200, 503)
        world.send("POST", f"{PATH}/feedback", json={"feedback": [{"card": "Qznotetext", "outcome": "accepted"}]})
    world.send("GET", "/readyz")
    world.stop()
    for name in ("stdout.log", "stderr.log"):
        content = (world.folder / name).read_bytes()
        assert not found_in(content), [line for line in content.splitlines() if found_in(line)][:3]
    lines = [json.loads(line) for line in (world.folder / "stderr.log").read_text().splitlines()]
    assert {line["level"] for line in lines} >= {"DEBUG", "INFO", "ERROR"}, "it was at its most talkative"
    for answer in world.answers[-8:]:
        if answer.status_code >= 400:
            assert not found_in(answer.content), answer.text


def _erase(world: World) -> None:
    """The command says how much, the trail that it was done, and neither of whom; the patient's rows are gone."""
    key = world.command("patient-key", PATIENT).split()[0]
    assert any(key in row for row in world.rows("evaluations"))
    told = world.command("erase", "--tenant", "-", "--patient", PATIENT)
    assert re.search(rb"^erased: [1-9][0-9]* row", told, re.MULTILINE), told
    assert not found_in(told)
    rows = world.rows()
    assert not [row for row in rows if key in row]
    assert not found_in(b"\n".join(rows)), "the comments went with their cards"
    if world.database.startswith("sqlite"):
        for name, content in world.kept().items():
            assert not found_in(content), f"{name}: not even in what is free again"
    exported = world.command("audit", "export")
    assert b"erase" in exported.lower()
    assert not found_in(exported)
    assert b"holds" in world.command("audit", "verify")
