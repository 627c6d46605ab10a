"""Shared by all tests. Kept small: charts are written with `tests.charts`, applications with `create_app`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:  # importlib mode leaves sys.path alone; `tests.charts` is imported by name
    sys.path.insert(0, str(ROOT))

pytest_plugins = ["tests.demo"]
