"""What the screening tests share: the brain, loaded once, and the charts of the published cases."""

from __future__ import annotations

import pytest

from cds_service.pipeline import Brain, load_brain
from tests.charts import TODAY


@pytest.fixture(scope="session")
def brain() -> Brain:
    return load_brain(TODAY)
