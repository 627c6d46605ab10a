"""A sandbox in memory with a few patients, called through its ASGI application."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from starlette.testclient import TestClient

from cds_service.sandbox.app import SandboxSettings, sandbox_app
from cds_service.sandbox.charts import chart
from cds_service.sandbox.store import Store

DAY = date(2026, 6, 1)


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


@pytest.fixture
def client(store: Store) -> TestClient:
    table = [
        "Patient | female | 49y | name=Case Example",
        "Condition | SLE | onset -17y",
        "Condition | Psoriasis | onset 2019",
    ]
    table += [f"Laboratory | Calcium | 2.{n:02d} mmol/L | -{n}d" for n in range(1, 31)]
    table += ["Laboratory | Albumin | 41 g/L | -3d | preliminary", "Exam | hard nodules | -1d"]
    store.load(chart(table, today=DAY, patient_id="p1", prefix="p1-").resources)
    store.load(
        chart(
            "Patient | male | 20y | name=Other Person\nCondition | SLE", today=DAY, patient_id="p2", prefix="p2-"
        ).resources
    )
    return TestClient(sandbox_app(store, SandboxSettings("http://127.0.0.1:8080", DAY)), base_url="http://sandbox.test")
