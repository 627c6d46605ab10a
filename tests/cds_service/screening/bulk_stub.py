"""A server process to export from, its data and keys, and what was asked of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from joserfc.jwk import ECKey, RSAKey

ROOT = Path(__file__).parents[3]
CANARY = "Canary"


def _resource(kind: str, number: int, **more: Any) -> dict[str, Any]:
    updated = f"2026-0{1 + number % 9}-01T00:00:00Z"
    return {"resourceType": kind, "id": f"{kind}-{number}", "meta": {"lastUpdated": updated}, **more}


@dataclass
class Stub:
    url: str
    folder: Path
    keys: dict[str, Path]
    client: httpx.Client

    def faults(self, **faults: Any) -> None:
        self.client.post(f"{self.url}/_faults", json=faults).raise_for_status()

    @property
    def log(self) -> list[dict[str, Any]]:
        return self.client.get(f"{self.url}/_log").json()

    @property
    def jobs(self) -> dict[str, Any]:
        return self.client.get(f"{self.url}/_jobs").json()

    def arguments(self, out: Path, *more: str, key: str = "EC") -> list[str]:
        return [
            "bulk-export", str(out), "--fhir-server", f"{self.url}/fhir", "--allow", self.url, "--allow-private",
            "--client-id", "registry", "--key-file", str(self.keys[key]), "--first-wait", "0.01", *more,
        ]  # fmt: skip

    def calls(self, part: str) -> list[dict[str, Any]]:
        return [call for call in self.log if part in call["path"]]


@contextmanager
def started(folder: Path) -> Iterator[Stub]:
    """A server process that serves what it exports from the folder."""
    data = folder / "data"
    data.mkdir()
    kinds = {"Patient": 3, "Condition": 5, "Observation": 20}
    for kind, many in kinds.items():
        more = {"name": [{"family": CANARY}]} if kind == "Patient" else {"subject": {"reference": "Patient/Patient-0"}}
        coded = {"code": {"coding": [{"code": "17861-6"}]}} if kind == "Observation" else {}
        lines = [json.dumps(_resource(kind, n, **more, **(coded if n % 2 else {}))) for n in range(many)]
        (data / f"{kind}.ndjson").write_text("\n".join(lines) + "\n")
    gone = {"resourceType": "Bundle", "entry": [{"request": {"method": "DELETE", "url": "Observation/Observation-3"}}]}
    (data / "deleted.ndjson").write_text(json.dumps(gone) + "\n")
    issue = {"severity": "warning", "code": "incomplete", "diagnostics": CANARY}
    (data / "error.ndjson").write_text(json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}) + "\n")
    keys: dict[str, Path] = {}
    public = []
    for name, key in (("EC", ECKey.generate_key("P-384")), ("RSA", RSAKey.generate_key(2048))):
        private = {**key.as_dict(private=True), "kid": name}
        public.append({**key.as_dict(private=False), "kid": name})
        keys[name] = folder / f"{name}.json"
        keys[name].write_text(json.dumps(private))
    (folder / "jwks.json").write_text(json.dumps({"keys": public}))
    command = [sys.executable, "-m", "tests.cds_service.screening.bulk_server", str(data), str(folder / "jwks.json")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with httpx.Client(verify=False) as client:  # noqa: S501 - plain http, and no certificates to be loaded for it
            yield Stub(f"http://127.0.0.1:{port}", data, keys, client)
        process.terminate()
