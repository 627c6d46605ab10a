"""The service as a process, its database, a FHIR server that fails, and a chart whose every place holds a word of its
own: what tests/security/test_canaries.py looks for, and how."""

from __future__ import annotations

import base64
import contextlib
import socket
import subprocess
import threading
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from sqlalchemy import inspect, text

from cds_service.store import Store
from tests.serving import environment, program, started

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
