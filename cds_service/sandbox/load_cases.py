"""Writes the published cases to another FHIR server, for test installations (`cds-service load-cases`)."""

from __future__ import annotations

import time
from typing import Any

import httpx
import msgspec

from cds_service.errors import ServiceError
from cds_service.sandbox.cases import published_cases
from cds_service.sandbox.content import PRACTITIONER
from cds_service.sandbox.process import today

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class LoadError(ServiceError):
    """The server did not take the cases; the text says why, without chart content."""


def load_cases(fhir_server: str, *, wait_seconds: int = 0, http: httpx.Client | None = None) -> int:
    """Creates or replaces every case, one transaction a chart, so that no reference leads out of what is stored
    already; the number written. Raises LoadError."""
    base = fhir_server.rstrip("/")
    client = http or httpx.Client(timeout=60)
    try:
        _wait(client, base, wait_seconds)
        written = 0
        for chart in ([PRACTITIONER], *(stage.build(today()).resources for stage in published_cases())):
            _send(client, base, list(chart))
            written += len(chart)
    except httpx.HTTPError as error:
        raise LoadError(f"the FHIR server could not be reached: {type(error).__name__}") from None
    finally:
        if http is None:
            client.close()
    return written


def _send(client: httpx.Client, base: str, resources: list[dict[str, Any]]) -> None:
    entries = [
        {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for r in resources
    ]
    body = _ENCODER.encode({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    answer = client.post(base, content=body, headers={"Content-Type": "application/fhir+json"})
    if answer.status_code >= 300:
        raise LoadError(f"the FHIR server refused a transaction: {answer.status_code}")


def _wait(client: httpx.Client, base: str, seconds: int) -> None:
    """Until the server shows its CapabilityStatement, at most so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if client.get(f"{base}/metadata", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(1)
