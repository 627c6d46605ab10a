"""Slots: what is over the cap is answered at once, and one tenant's crowd leaves room for another."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import Any

import httpx
import pytest

from cds_service.app import create_app
from cds_service.errors import Overloaded
from cds_service.overload import Slots
from cds_service.settings import Settings
from tests.charts import TODAY
from tests.serving import listening


def test_slots_come_back_also_after_an_error() -> None:
    slots = Slots(total=1, per_tenant=1)
    with pytest.raises(ZeroDivisionError), slots.of_all(), slots.of_tenant("a"):
        raise ZeroDivisionError
    with slots.of_all(), pytest.raises(Overloaded), slots.of_all():
        pass
    with slots.of_all():
        assert slots.used == 1


def test_a_tenant_at_its_cap_leaves_room_for_another() -> None:
    slots = Slots(total=10, per_tenant=2)
    with slots.of_tenant("noisy"), slots.of_tenant("noisy"):
        with pytest.raises(Overloaded), slots.of_tenant("noisy"):
            pass
        with slots.of_tenant("quiet"):
            pass
    with slots.of_tenant("noisy"):
        pass


def test_over_the_cap_503_at_once_and_back_to_normal(fhir_that_waits: str) -> None:
    settings = Settings(profile="sandbox", as_of=TODAY, max_concurrent=3, deadline_ms=1500)
    with listening(create_app(settings)) as url:
        statuses, seconds = asyncio.run(_crowd(url, fhir_that_waits, 12))
        assert statuses.count(503) == 9
        taken = list(zip(statuses, seconds, strict=True))
        assert max(s for status, s in taken if status == 503) < min(s for status, s in taken if status == 200)
        refused = httpx.post(f"{url}/assessments", json=_call(None), timeout=5)
        assert refused.status_code == 200


async def _crowd(url: str, fhir: str, number: int) -> tuple[list[int], list[float]]:
    async with httpx.AsyncClient(timeout=10) as client:

        async def one() -> tuple[httpx.Response, float]:
            begun = time.perf_counter()
            answer = await client.post(f"{url}/assessments", json=_call(fhir))
            return answer, time.perf_counter() - begun

        answers = await asyncio.gather(*(one() for _ in range(number)))
    for answer, _ in answers:
        if answer.status_code == 503:
            assert answer.headers["retry-after"]
            assert answer.json()["resourceType"] == "OperationOutcome"
    return [answer.status_code for answer, _ in answers], [taken for _, taken in answers]


def _call(fhir: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "hook": "patient-view",
        "hookInstance": "1",
        "context": {"userId": "Practitioner/1", "patientId": "p1"},
    }
    return body | ({"fhirServer": fhir} if fhir else {})


@pytest.fixture
def fhir_that_waits() -> Any:
    """A FHIR server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/fhir"
    for connection in kept:
        connection.close()
