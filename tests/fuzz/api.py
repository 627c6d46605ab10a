"""Calls made up by schemathesis from our own OpenAPI: `python -m tests.fuzz.api N` examples for each operation.

Prints how many calls were answered; exit code 1 when one of them was answered with a 5xx.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.charts import TODAY


def fuzz(examples: int) -> tuple[Counter[int], list[str]]:
    """Statuses by number, and the operations (template and method) that failed."""
    app = create_app(Settings(profile="sandbox", as_of=TODAY, database_url="sqlite://", deadline_ms=100))
    statuses: Counter[int] = Counter()
    failed: list[str] = []
    with TestClient(app, client=("127.0.0.1", 1), raise_server_exceptions=False) as client:
        schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
        for found in schema.get_all_operations():
            operation = found.ok()
            for mode in schemathesis.GenerationMode:

                @given(case=operation.as_strategy(generation_mode=mode))
                @settings(
                    max_examples=examples,
                    deadline=None,
                    database=None,
                    derandomize=examples < 100,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                def send(case: Any) -> None:
                    answer = client.request(**_arguments(case))
                    statuses[answer.status_code] += 1
                    if answer.status_code >= 500:
                        failed.append(f"{case.operation.label}: {answer.status_code}")

                try:
                    send()
                except (schemathesis.errors.SchemathesisError, Unsatisfiable):
                    continue  # an operation without parameters has no wrong form
    return statuses, failed


def _arguments(case: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = case.as_transport_kwargs(base_url="http://testserver")
    return {k: v for k, v in arguments.items() if v is not None and k != "cookies"}


if __name__ == "__main__":
    found, wrong = fuzz(int(sys.argv[1]))
    sys.stdout.write(f"{found.total()} calls, by status {dict(sorted(found.items()))}, 5xx: {wrong[:20]}\n")
    sys.exit(1 if wrong else 0)
