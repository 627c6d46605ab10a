"""Shared by all tests. Kept small: charts are written with `tests.charts`, applications with `create_app`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:  # importlib mode leaves sys.path alone; `tests.charts` is imported by name
    sys.path.insert(0, str(ROOT))


# every application of the tests has a database of its own unless it asks for a file
os.environ.setdefault("CDS_DATABASE_URL", "sqlite://")
# a busy machine must not change what is read; tests of the deadline set their own
os.environ.setdefault("CDS_DEADLINE_MS", "20000")


# The default suite gives the same verdict on the same code, however busy the machine: the same made-up inputs each time
# and no limit of time for one of them. `make long` looks for new ones (--hypothesis-profile=search).
settings.register_profile(
    "steady", max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


def pytest_configure(config: pytest.Config) -> None:
    # starlette's test client will move to another HTTP package; nothing for us to do until then
    config.addinivalue_line("filterwarnings", "ignore:Using `httpx` with `starlette.testclient`")


pytest_plugins = ["tests.demo"]
