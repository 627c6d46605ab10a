"""Calls that run out of time leave nothing behind: no connection stays that is of no use."""

from __future__ import annotations

import asyncio
import random
import ssl
from pathlib import Path
from typing import Any

from cds_service.fhir.breaker import Breakers
from cds_service.fhir.calls import Caller, Deadline
from cds_service.fhir.door import Policy, open_client
from tests.soak.service import certificate

_ANSWER = (
    b'HTTP/1.1 200 OK\r\ncontent-type: application/fhir+json\r\ncontent-length: 28\r\n\r\n{"resourceType": "Bundle"}  '
)


async def _answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(0.01)
            writer.write(_ANSWER)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def _hurried(folder: Path) -> tuple[list[Any], list[Any], str | None]:
    """Calls with far too little time; (connections, requests) that the pool still has, and how a patient call ends."""
    files = certificate(folder)
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.load_cert_chain(*files)
    server = await asyncio.start_server(_answering, "localhost", 0, ssl=here)
    base = f"https://localhost:{server.sockets[0].getsockname()[1]}/fhir"
    policy = Policy(bases=(base,), allow_private=True)
    http = open_client(policy, ssl.create_default_context(cafile=str(files[0])))
    http.breakers = Breakers(failures=10**9)
    caller, draw = Caller(http, policy, base), random.Random(1)
    for _ in range(30):
        deadlines = [Deadline.after(draw.randint(1, 25)) for _ in range(12)]
        await asyncio.gather(*(caller.call(f"{base}/Condition?patient=1", d, None) for d in deadlines))
    await asyncio.sleep(0.2)
    pool: Any = http._transport._pool  # type: ignore[attr-defined]
    stuck = [c for c in pool.connections if not c.is_idle()]
    waiting = list(pool._requests)
    _, _, failed, _ = await caller.call(f"{base}/Condition?patient=1", Deadline.after(5000), None)
    await http.aclose()
    server.close()
    return stuck, waiting, failed


def test_no_connection_is_lost_when_time_runs_out(tmp_path: Path) -> None:
    stuck, waiting, failed = asyncio.run(_hurried(tmp_path))
    assert stuck == []
    assert waiting == []
    assert failed is None
