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
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import inspect, text

from cds_service.sandbox.app import SandboxSettings, sandbox_app
from cds_service.sandbox.charts import chart
from cds_service.sandbox.store import Store as Sandbox
from cds_service.store import Store
from tests.cds_service.companion.test_launch import Window
from tests.databases import NoPostgresError, postgres_server
from tests.demo import Demo
from tests.serving import environment, free_port, listening, program, started

pytestmark = pytest.mark.long
DAY = date(2026, 6, 1)
PATH = "/cds-services/calcinosis-patient-view"
PATIENT = "qzpatientid"
CANARIES = {
    "name": "Qzfamilyname",
    "record number": "QZMRN7351",
    "patient id": PATIENT,
    "resource id": "qzresourceid",
    "user": "qzuserid",
    "encounter": "qzencounterid",
    "note": "Qznotetext",
    "report": "Qzreporttext",
    "value": "2.3177",
    "drug": "Qzdrugname",
    "token": "qzaccesstoken",
    "hook instance": "qzhookinstance",
    "address": "qzaddresspart",
    "header": "qzheadervalue",
    "question": "Qztypedquestion",
    "answer": "Qzquestionnaireanswer",
    "fault": "Qzfaulttext",
    "comment": "Qzfeedbackcomment",
}
STORED = frozenset({"comment"})
"""what the database keeps: docs/hospital/data-flow.md, rows 5 to 7."""
CHART = """
    Patient    | female | 49y | name=Qzfamilyname Example
    Condition  | SLE Qznotetext | onset -17y | id=qzresourceid
    Exam       | stony-hard nodules over both elbows, first noticed 3 months ago. Qznotetext | -10d
    Laboratory | Calcium | 2.3177 mmol/L [2.15–2.57] | -10d
    Imaging    | X-ray of both elbows | Subcutaneous calcification. Qzreporttext | -5d
    Medication | Qzdrugname | 400 mg/d | -3y
"""


def spellings(word: str) -> set[bytes]:
    """The word as it may look in a log, an address or a database."""
    encoded = base64.b64encode(word.encode()).rstrip(b"=")[:-1]
    return {word.lower().encode(), quote(word).lower().encode(), encoded.lower(), word.lower().encode("utf-16-le")}


def found_in(content: bytes, allowed: frozenset[str] = frozenset()) -> list[str]:
    lower = content.lower()
    return [name for name, word in CANARIES.items() if name not in allowed and any(s in lower for s in spellings(word))]


def test_a_canary_is_found_however_it_is_written() -> None:
    for content in (b"x Qznotetext y", b"%51", base64.b64encode(b"Qznotetext"), "Qznotetext".encode("utf-16-le")):
        assert found_in(content) == ([] if content == b"%51" else ["note"])


FAULTS = {
    "500": ("500 Internal Server Error", '{"text":"Qzfaulttext"}', ""),
    "outcome": (
        "422 Unprocessable Entity",
        '{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"Qzfaulttext",'
        '"diagnostics":"Qzfaulttext","details":{"text":"Qzfaulttext"}}]}',
        "",
    ),
    "broken": ("200 OK", '{"resourceType":"Bundle","entry":[{"resource":{"id":"Qzfaulttext', ""),
    "no JSON": ("200 OK", "<html>Qzfaulttext</html>", ""),
    "redirect": ("302 Found", "", "location: http://qzfaulttext.example.org/Qzfaulttext\r\n"),
    "foreign page": (
        "200 OK",
        '{"resourceType":"Bundle","link":[{"relation":"next","url":"http://qzfaulttext.example.org/?Qzfaulttext"}]}',
        "",
    ),
    "odd types": ("200 OK", '{"resourceType":"Qzfaulttext","id":["Qzfaulttext"]}', ""),
    "challenge": ("401 Unauthorized", "Qzfaulttext", 'www-authenticate: Bearer realm="Qzfaulttext"\r\n'),
    "silence": ("", "", ""),
}


class FaultyServer:
    """A FHIR server that answers everything with one fault, full of words."""

    def __init__(self) -> None:
        self.fault = "500"
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._kept: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/qzaddresspart"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            status, body, more = FAULTS[self.fault]
            if not status:
                self._kept.append(connection)
                continue
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                length = len(body) + (9 if self.fault == "broken" else 0)
                head = f"HTTP/1.1 {status}\r\ncontent-type: application/fhir+json\r\n{more}content-length: {length}"
                connection.sendall(f"{head}\r\nconnection: close\r\n\r\n{body}".encode())

    def close(self) -> None:
        self._socket.close()
        for connection in self._kept:
            connection.close()


class World:
    """The service as a process and what it talks to; every answer it gave."""

    def __init__(self, folder: Path, fhir: str, page: str, port: int, database: Mapping[str, str]) -> None:
        self.folder, self.fhir, self.port, self.database = folder, fhir, port, database["CDS_DATABASE_URL"]
        self.url = f"http://127.0.0.1:{port}"
        self.settings = {
            "CDS_PROFILE": "sandbox",
            "CDS_LOG_LEVEL": "DEBUG",
            "CDS_PUBLIC_URL": self.url,
            "CDS_SANDBOX_URL": page,
            "CDS_AS_OF": DAY.isoformat(),
            "CDS_DEADLINE_MS": "1500",
            "CDS_SUPPRESSION": "true",
            **database,
        }
        self.http = httpx.Client(timeout=30)
        self.answers: list[httpx.Response] = []
        self.served = started(folder, self.settings, port)
        self.process = self.served.process

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self.http.request(method, f"{self.url}{path}", **more)
        self.answers.append(answer)
        return answer

    def command(self, *arguments: str) -> bytes:
        """What a command of the operator prints."""
        clean = environment(self.settings)
        done = subprocess.run(program(*arguments), env=clean, cwd=self.folder, capture_output=True, check=False)
        return done.stdout + done.stderr

    def rows(self, table: str | None = None) -> list[bytes]:
        """Every row of the database, or of one table, as text; what is bytes in it, as it is."""
        store = Store(self.database)
        try:
            with store.engine.connect() as connection:
                return [
                    b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
                    for name in ([table] if table else inspect(connection).get_table_names())
                    for row in connection.execute(text(f"SELECT * FROM {name}"))  # noqa: S608 - a name of our own
                ]
        finally:
            store.close()

    def kept(self) -> dict[str, bytes]:
        """The bytes that the database has on disk, its log and what is written ahead included."""
        if self.database.startswith("sqlite"):
            files = [file for file in self.folder.rglob("*") if file.is_file() and "cds.sqlite3" in file.name]
        else:
            store = Store(self.database)
            with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("CHECKPOINT"))
                data = Path(connection.execute(text("SHOW data_directory")).scalar_one())
            store.close()
            files = [file for name in ("base", "pg_wal") for file in (data / name).rglob("*") if file.is_file()]
            files.append(data.parent / "log")
        return {str(file): file.read_bytes() for file in files}

    def take_the_database_away(self) -> None:
        """Under the running service."""
        if self.database.startswith("sqlite"):
            for file in self.kept():
                Path(file).write_bytes(b"Qznotetext is no database" * 500)
            return
        store = Store(self.database)
        with store.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
        store.close()

    def stop(self) -> None:
        self.served.stop()


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


def hook(**changes: Any) -> dict[str, Any]:
    bundle = chart(CHART, today=DAY, patient_id=PATIENT, prefix="qzresourceid-").json()
    bundle["entry"].append(
        {"resource": {"resourceType": "Observation", "id": "QZMRN7351", "status": "Qznotetext", "valueString": 1}}
    )
    body: dict[str, Any] = {
        "hook": "patient-view",
        "hookInstance": "qzhookinstance",
        "context": {
            "userId": "Practitioner/qzuserid",
            "patientId": PATIENT,
            "encounterId": "qzencounterid",
            "extension": {"Qznotetext": "QZMRN7351"},
        },
        "prefetch": {"conditions": bundle, "laboratory": None, "examinations": None},
    }
    return body | changes


def granted() -> dict[str, Any]:
    return {
        "access_token": "qzaccesstoken",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "qzuserid",
    }


def everything(world: World, page: str) -> None:
    """Every address in every way that a chart or a person's words can take."""
    world.http.headers.update({"User-Agent": "qzheadervalue", "Referer": "http://qzheadervalue/"})
    world.send("POST", PATH, json=hook(), headers={"X-Forwarded-For": "qzheadervalue"})
    _hooks(world)
    _broken(world)
    _reads(world)
    _words(world)
    _companion(world, page)
    _faults(world)


def _hooks(world: World) -> None:
    answer = world.send("POST", PATH, json=hook())
    assert answer.status_code == 200, answer.text
    cards = answer.json()["cards"]
    assert cards, "the canary answer is a card"
    assert world.send("POST", "/assessments", json=hook()).status_code == 200
    assert world.send("POST", PATH, json=hook(prefetch={}, fhirServer=world.fhir)).json()["cards"]
    for service in world.send("GET", "/cds-services").json()["services"]:
        body = hook(hook=service["hook"], context=hook()["context"] | {"draftOrders": hook()["prefetch"]["conditions"]})
        body["context"]["selections"] = ["MedicationRequest/qzresourceid"]
        world.send("POST", f"/cds-services/{service['id']}", json=body)
        world.send("GET", f"/cds-services/{service['id']}/source-attributes")
    said: dict[str, Any] = {
        "card": cards[0]["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": "2026-06-01T10:00:00Z",
        "overrideReason": {
            "reason": {"code": "patient-ineligible", "system": "Qznotetext"},
            "userComment": "Qzfeedbackcomment",
        },
    }
    feedback = world.send("POST", f"{PATH}/feedback", json={"feedback": [said]})
    assert feedback.status_code == 200, feedback.text
    without_words = {"card": "Qznotetext", "overrideReason": {"reason": said["overrideReason"]["reason"]}}
    for change in (without_words, {"outcome": "Qznotetext"}, {"outcomeTimestamp": "Qznotetext"}, {"card": 5}):
        world.send("POST", f"{PATH}/feedback", json={"feedback": [said | change]})


def _broken(world: World) -> None:
    for change in (
        {"hook": "Qznotetext"},
        {"hookInstance": ["Qznotetext"]},
        {"context": "Qznotetext"},
        {"context": {"patientId": "Qznotetext/../x", "userId": "Practitioner/1"}},
        {"context": {"patientId": PATIENT, "userId": "Qzfamilyname"}},
        {"prefetch": "Qznotetext"},
        {"prefetch": {"conditions": {"resourceType": "Bundle", "entry": "Qznotetext"}}},
        {"prefetch": {"Qznotetext": {"resourceType": "Qznotetext", "id": "QZMRN7351"}}},
        {"fhirServer": "Qzaddresspart"},
        {"fhirServer": "http://qzaddresspart.example.org/", "fhirAuthorization": granted()},
        {"fhirAuthorization": "qzaccesstoken"},
        {"fhirAuthorization": granted()},
        {"fhirAuthorization": granted() | {"expires_in": "Qznotetext"}, "fhirServer": world.fhir},
    ):
        for path in (PATH, "/assessments"):
            world.send("POST", path, json=hook(**change))
    whole = json.dumps(hook()).encode()
    for content in (whole[:-20], whole.replace(b'"hook":', b'"hook":"Qznotetext","hook":', 1), b'"Qznotetext"', b"Qz"):
        world.send("POST", PATH, content=content, headers={"Content-Type": "application/json"})
    for headers in (
        {"Content-Type": "text/Qznotetext"},
        {"Content-Type": "application/json", "Content-Encoding": "Qznotetext"},
        {"Content-Type": "application/json", "Authorization": "Bearer qzaccesstoken.qzaccesstoken.qzaccesstoken"},
    ):
        world.send("POST", PATH, content=whole, headers=headers)
    with socket.create_connection(("127.0.0.1", world.port)) as connection:  # not HTTP at all
        connection.sendall(b"Qznotetext Qznotetext\r\nQznotetext\r\n\r\n")
        connection.recv(1000)
    with socket.create_connection(("127.0.0.1", world.port)) as connection:  # gone in the middle of the body
        connection.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n".encode()
            + b'{"hook":"Qznotetext'
        )


def _reads(world: World) -> None:
    for path in (
        "/cds-services",
        "/evidence",
        "/evidence/awaiting-confirmation",
        "/evidence/Qznotetext",
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/openapi.json",
        "/fhir/Questionnaire/calcinosis-dialogue",
        "/companion",
        "/companion/launch?iss=http://qzaddresspart.example.org/&launch=qzaccesstoken",
        "/companion/callback?state=qzaccesstoken&code=qzaccesstoken",
        "/companion/s/qzaccesstoken",
        "/companion/assets/Qznotetext",
        f"/{CANARIES['name']}/{PATIENT}?name=Qzfamilyname",
        "/cds-services/Qznotetext/source-attributes",
    ):
        world.send("GET", path, headers={"Cookie": "companion=qzaccesstoken"})
    world.send("PUT", PATH, content=b"Qznotetext")
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        world.send(method, f"{PATH}/Qznotetext?Qzfamilyname", headers={"Origin": "http://qzaddresspart.example.org"})


def _words(world: World) -> None:
    assessment = world.send("POST", "/assessments", json=hook()).json()
    for body in (
        {"question": "Qztypedquestion: is diltiazem safe for Qzfamilyname?", "assessment": assessment},
        {"question": "Qztypedquestion" * 200},
        {"question": "what is calcinosis", "language": "Qztypedquestion" * 5},
        {"question": "what is calcinosis", "assessment": "Qznotetext"},
        {"question": "what is calcinosis", "assessment": assessment | {"grade": "Qznotetext", "workup": "Qznotetext"}},
        {"question": {"Qztypedquestion": 1}},
    ):
        world.send("POST", "/questions", json=body)
    bundle = hook()["prefetch"]["conditions"]
    for response in (
        {
            "resourceType": "QuestionnaireResponse",
            "status": "in-progress",
            "subject": {"reference": f"Patient/{PATIENT}"},
        },
        {
            "resourceType": "QuestionnaireResponse",
            "status": "in-progress",
            "questionnaire": f"{world.url}/fhir/Questionnaire/calcinosis-dialogue",
            "item": [{"linkId": "Qzquestionnaireanswer", "answer": [{"valueString": "Qzquestionnaireanswer"}]}],
        },
        {"resourceType": "Qzquestionnaireanswer"},
    ):
        world.send("POST", "/fhir/Questionnaire/$next-question", json=response)
        named = [{"name": "questionnaire-response", "resource": response}, {"name": "chart", "resource": bundle}]
        world.send(
            "POST", "/fhir/Questionnaire/$next-question", json={"resourceType": "Parameters", "parameter": named}
        )
    odd = {"resourceType": "Parameters", "parameter": [{"name": "Qzquestionnaireanswer"}]}
    world.send("POST", "/fhir/Questionnaire/$next-question", json=odd)


def _companion(world: World, page: str) -> None:
    window = Window(Demo(world.url, page))
    window.http.event_hooks["response"].append(world.answers.append)
    url, html = window.open(PATIENT)
    assert "Qzfamilyname" in html, "the banner shows whom it is about"
    window.get(f"{url}/style.css")
    window.get(f"{url}/alive")
    window.get(f"{url}/timeline-light.svg")
    asked = re.search(r'data-question="([^"]+)"', html)
    question = asked[1] if asked else "q1"
    for body in (
        {"question": question, "answers": ["Qzquestionnaireanswer"]},
        {"question": "Qzquestionnaireanswer", "answers": ["hard"]},
        {"question": question, "answers": "Qzquestionnaireanswer"},
        {"question": "q1", "answers": ["hard"]},
    ):
        window.post(url, html, "answers", body)
    for typed in ("Qztypedquestion: is diltiazem safe for Qzfamilyname?", "Qztypedquestion" * 200, ""):
        window.post(url, html, "questions", {"question": typed})
    window.post(url, html, "save", {"consent": "Qznotetext"})
    assert window.post(url, html, "save", {"consent": True}).status_code in (200, 400)
    window.post(url, html, "close", {})
    url, html = window.open(PATIENT)  # and one that stays open
    window.post(url, html, "answers", {"question": question, "answers": ["hard"]})
    world.answers[:] = [a for a in world.answers if not str(a.url).startswith(page)]


def _faults(world: World) -> None:
    """The hospital's server fails in every way, then our own database does."""
    server = FaultyServer()
    try:
        for fault in FAULTS:
            server.fault = fault
            for body in (
                hook(prefetch={}, fhirServer=server.url),
                hook(prefetch={}, fhirServer=server.url, fhirAuthorization=granted()),
            ):
                world.send("POST", PATH, json=body)
                world.send("POST", "/assessments", json=body)
        world.send("GET", f"/companion/launch?iss={server.url}&launch=qzaccesstoken")
    finally:
        server.close()


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
