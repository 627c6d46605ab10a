"""The processes of a run: the service in production profile, the FHIR server behind TLS, and PostgreSQL."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from joserfc.jwk import ECKey

from tests.certificates import certificate
from tests.databases import NoPostgresError, postgres_server
from tests.serving import environment, free_port

PUBLIC = "https://cds.soak.example"
GRACE_SECONDS = 15
"""within which a stop must be over: ten seconds for what is in flight, and the store's last rows."""


@dataclass(slots=True)
class Hospital:
    """The tenants file of the run: `a` and `b` always live, `c` switched on and off while it runs."""

    folder: Path
    fhir: str
    authority: Path
    keys: dict[str, ECKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = {name: ECKey.generate_key("P-384", {"kid": f"key-{name}"}) for name in "abc"}
        (self.folder / "b.jwks").write_text(json.dumps({"keys": [self.keys["b"].as_dict(private=False)]}))

    def tenant(self, name: str, **more: Any) -> dict[str, Any]:
        return {
            "id": name,
            "issuer": f"https://{name}.soak.example",
            "audience": PUBLIC,
            "fhirServers": [self.fhir],
            "allowPrivateAddresses": True,
            "caFile": str(self.authority),
            **more,
        }

    def write(self, mode_of_c: str = "live", *, broken: bool = False) -> Path:
        """Writes the file anew; `broken` adds an entry that is wrong."""
        inline = {n: {"keys": [self.keys[n].as_dict(private=False)]} for n in "ac"}
        origin = self.fhir.removesuffix("/fhir")
        companion = {"clientId": "calcinosis-companion", "authorizationServers": [f"{origin}/auth"]}
        entries = [
            self.tenant(
                "a", jwks=inline["a"], companion=companion, fhirVersion="R4", units="si",
                timeZone="Europe/Berlin",
            ),
            self.tenant("b", jwksFile=str(self.folder / "b.jwks"), fhirVersion="R4", dialect="epic"),
            self.tenant("c", jwks=inline["c"], mode=mode_of_c, dialect="generic-3.0", fhirVersion="R4"),
        ]  # fmt: skip
        if broken:
            entries.append(self.tenant("d", jwks={"keys": []}, dialect="no such dialect"))
        file = self.folder / "tenants.yaml"
        before = self.folder / "tenants.new"
        before.write_text(yaml.safe_dump({"tenants": entries}))
        before.replace(file)
        return file


@dataclass(slots=True)
class Service:
    """The command `serve` in production profile; can be stopped and started again on the same database."""

    folder: Path
    database: str
    tenants: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        settings = {
            "CDS_PROFILE": "production",
            "CDS_TENANTS_FILE": str(self.tenants),
            "CDS_PUBLIC_URL": PUBLIC,
            "CDS_DATABASE_URL": self.database,
            "CDS_PSEUDONYM_KEY": "long-run-0123456789-abcdefghijklmnop",
        }
        command = [sys.executable, "-c", "import sys; from cds_service.cli import main; sys.exit(main())"]
        with (self.folder / "service.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "serve", "--port", str(self.port)], env=environment(settings), cwd=self.folder, stderr=log
            )
        wait_for(f"{self.url}/readyz", self.process)

    def stop(self) -> tuple[int, float]:
        """SIGTERM; (exit code, seconds until it ended)."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        return code, time.monotonic() - begun

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


def wait_for(url: str, process: subprocess.Popen[bytes], authority: Path | None = None) -> None:
    import ssl

    verify: Any = ssl.create_default_context(cafile=str(authority)) if authority else True
    for _ in range(600):
        assert process.poll() is None, f"ended with code {process.returncode} before it listened"
        try:
            if httpx.get(url, timeout=2, verify=verify).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} did not answer")


@contextmanager
def fhir_process(folder: Path) -> Iterator[tuple[str, Path]]:
    """The FHIR server with faults; (its base URL, the certificate of its authority)."""
    authority, key = certificate(folder)
    port = free_port()
    command = [sys.executable, "-m", "tests.soak.fhir", str(port), str(authority), str(key), PUBLIC]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    try:
        base = f"https://localhost:{port}/fhir"
        wait_for(f"{base}/metadata", process, authority)
        yield base, authority
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def database(folder: Path) -> Iterator[tuple[str, str]]:
    """(URL, what it is): PostgreSQL where it is installed, else SQLite in a file."""
    try:
        with postgres_server() as url:
            yield url, "PostgreSQL"
    except NoPostgresError as error:
        yield f"sqlite:///{folder}/cds.sqlite3", f"SQLite ({error})"
