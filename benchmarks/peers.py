"""The same patient-view request to other CDS Hooks services and to this one, one after the other, in one run.

    python -m benchmarks.peers --folder PEERS [--requests 40]

`PEERS` holds what the owner of the machine installed there; nothing of it is ours, and what is missing is left out:

    PEERS/sandbox-cds-services/             github.com/cds-hooks/sandbox-cds-services, `npm install --omit=dev`
    PEERS/AHRQ-CDS-Connect-CQL-SERVICES/    github.com/AHRQ-CDS/AHRQ-CDS-Connect-CQL-SERVICES, `npm install --omit=dev`
    PEERS/hc/                               a virtual environment with `healthchain` and `uvicorn`

No peer does our work: each row says what it computes. Resources are the same, under the prefetch keys that the service
asks for; the CPU is that of the server's process with its children."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks import bodies, service
from benchmarks.service import PATH

_SIZE = 90
"""resources: below the 100 kB that one of the peers takes."""
_PORT = 18830
_WARM = 10
Resource = dict[str, Any]

_HEALTHCHAIN = """
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models import CDSRequest, CDSResponse
from healthchain.models.responses.cdsresponse import Card, IndicatorEnum, Source

def card(text):
    return CDSResponse(cards=[Card(summary=text, indicator=IndicatorEnum.info, source=Source(label="peer"))])

def counted(request: CDSRequest) -> CDSResponse:
    return card(str(sum(len(v.get("entry", ())) for v in request.prefetch.values())))

def validated(request: CDSRequest) -> CDSResponse:
    from fhir.resources.R4B.bundle import Bundle
    bundles = [Bundle.model_validate(v) for v in request.prefetch.values() if v["resourceType"] == "Bundle"]
    return card(str(sum(len(b.entry or ()) for b in bundles)))

cds = CDSHooksService()
cds.hook("patient-view", id="peer")(HANDLER)
app = HealthChainAPI()
app.register_service(cds)
import uvicorn
uvicorn.run(app, host="127.0.0.1", port=PORT, access_log=False, log_level="error")
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """`keys`: the peer's own prefetch key by type of resource; `folder` must exist for it to be run."""

    name: str
    computes: str
    folder: str
    path: str
    command: Callable[[Path, int], list[str]]
    keys: Mapping[str, str] | None = None


def _healthchain(handler: str) -> Callable[[Path, int], list[str]]:
    def command(folder: Path, port: int) -> list[str]:
        program = _HEALTHCHAIN.replace("HANDLER", handler).replace("PORT", str(port))
        return [str(folder / "bin" / "python"), "-c", program]

    return command


PEERS = (
    Peer(
        "sandbox-cds-services, `patient-greeting`",
        "parses the body, reads one name",
        "sandbox-cds-services",
        "/cds-services/patient-greeting",
        lambda folder, port: ["node", "server.js"],
    ),
    Peer(
        "HealthChain, a handler that counts entries",
        "pydantic over the envelope, counts dictionaries",
        "hc",
        "/cds/cds-services/peer",
        _healthchain("counted"),
    ),
    Peer(
        "HealthChain, a handler with FHIR models",
        "validates every Bundle with fhir.resources",
        "hc",
        "/cds/cds-services/peer",
        _healthchain("validated"),
    ),
    Peer(
        "AHRQ CQL Services, `cond-med-count-r4`",
        "CQL: counts Conditions and MedicationRequests",
        "AHRQ-CDS-Connect-CQL-SERVICES",
        "/cds-services/cond-med-count-r4",
        lambda folder, port: ["node", "bin/www"],
        {"Patient": "Patient", "Condition": "Condition", "MedicationRequest": "MedicationRequest"},
    ),
)


@dataclass(frozen=True, slots=True)
class Measured:
    name: str
    computes: str
    bytes: int
    requests: int
    cpu_ms: float
    """of one request, over all of them."""
    wall_ms: float
    """median."""


def measure_peers(folder: Path, requests: int) -> list[Measured]:
    """Every peer that is there, then this service for a silent patient and for one with a detection card."""
    found = []
    for number, peer in enumerate(PEERS):
        home = folder / peer.folder
        if not home.exists():
            continue
        content = _body(peer.keys)
        with _running(peer.command(home, _PORT + number), home, _PORT + number) as pid:
            found.append(_measure(peer.name, peer.computes, pid, _PORT + number, peer.path, [content] * requests, []))
    for who in ("silent", "detection"):
        wanted = bodies.body(who, _SIZE)
        contents = [wanted.of_patient(n) for n in range(requests)]
        with tempfile.TemporaryDirectory() as own, _ours(Path(own), _PORT + 20) as pid:
            tokens = [service.token(n) for n in range(requests)]
            computes = "our rules, token checked, evaluation stored: " + ("silence" if who == "silent" else "a card")
            found.append(
                _measure(f"this service, {who} patient", computes, pid, _PORT + 20, PATH, contents, tokens, who)
            )
    return found


def _body(keys: Mapping[str, str] | None) -> bytes:
    """The detection body, the resources under the peer's own keys when it has some."""
    request = orjson.loads(bodies.body("detection", _SIZE).content)
    if keys is None:
        return orjson.dumps(request)
    prefetch: dict[str, Any] = {}
    for value in request["prefetch"].values():
        if value["resourceType"] != "Bundle":
            prefetch[keys.get(value["resourceType"], value["resourceType"])] = value
            continue
        for entry in value["entry"]:
            kind = entry["resource"]["resourceType"]
            bundle = prefetch.setdefault(
                keys.get(kind, kind), {"resourceType": "Bundle", "type": "searchset", "entry": []}
            )
            bundle["entry"].append(entry)
    return orjson.dumps(request | {"prefetch": prefetch})


@contextmanager
def _running(command: list[str], home: Path, port: int) -> Iterator[int]:
    environment = os.environ | {"PORT": str(port), "IGNORE_VSAC_ERRORS": "true"}
    environment.pop("PYTHONPATH", None)
    process = subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        asyncio.run(_listening(port))
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def _ours(folder: Path, port: int) -> Iterator[int]:
    """This service in a child of its own, which knows the keys that tokens are signed with."""
    import uvicorn

    from cds_service.app import create_app
    from cds_service.pipeline import load_brain

    settings = service.settings(folder)
    pid = os.fork()
    if not pid:
        uvicorn.run(
            create_app(settings, brain=load_brain(bodies.AS_OF)),
            host="127.0.0.1",
            port=port,
            access_log=False,
            log_level="error",
        )
        os._exit(0)
    try:
        asyncio.run(_listening(port))
        yield pid
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


async def _listening(port: int) -> None:
    for _ in range(1200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        return
    raise TimeoutError(port)


def _measure(
    name: str,
    computes: str,
    pid: int,
    port: int,
    path: str,
    contents: list[bytes],
    tokens: list[str],
    who: bodies.Who | None = None,
) -> Measured:
    walls, cpu = asyncio.run(_send(pid, port, path, contents, tokens, who))
    return Measured(
        name, computes, len(contents[0]), len(walls), cpu * 1000 / len(walls), statistics.median(walls) * 1000
    )


async def _send(
    pid: int, port: int, path: str, contents: list[bytes], tokens: list[str], who: bodies.Who | None
) -> tuple[list[float], float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    walls: list[float] = []
    cpu = 0.0
    for number, content in enumerate(contents):
        if number == _WARM:
            cpu, walls = _cpu(pid), []
        bearer = f"authorization: Bearer {tokens[number]}\r\n" if tokens else ""
        head = (
            f"POST {path} HTTP/1.1\r\nhost: cds.example.org\r\ncontent-type: application/json\r\n{bearer}"
            f"content-length: {len(content)}\r\n\r\n"
        )
        begun = time.perf_counter()
        writer.write(head.encode() + content)
        answer = await _answer(reader)
        walls.append(time.perf_counter() - begun)
        if who is not None:
            service.check(who, answer)
        else:
            assert json.loads(answer)["cards"], answer[:200]
    writer.close()
    return walls, _cpu(pid) - cpu


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    if b"content-length" in fields:
        return await reader.readexactly(int(fields[b"content-length"]))
    body = b""
    while (size := int(await reader.readline(), 16)) > 0:
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body


def _cpu(pid: int) -> float:
    """Seconds of CPU of a process and of the children it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def table(rows: list[Measured]) -> str:
    lines = [
        "| Service | What it does with the request | CPU a request, ms | Median wall, ms |",
        "|---|---|---|---|",
        *(f"| {row.name} | {row.computes} | {row.cpu_ms:.1f} | {row.wall_ms:.1f} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.peers")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--requests", type=int, default=110)
    given = parser.parse_args()
    sys.stdout.write(table(measure_peers(given.folder, given.requests)))


if __name__ == "__main__":
    main()
