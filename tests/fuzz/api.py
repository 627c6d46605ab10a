"""Calls made up by schemathesis from our own OpenAPI: `python -m tests.fuzz.api N` examples for each operation.

Prints how many calls were answered; exit code 1 when one of them was answered with a 5xx, or in a way that the
description does not promise: another status, another media type, a body of another shape.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.charts import TODAY

_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def fuzz(examples: int) -> tuple[Counter[int], list[str]]:
    """Statuses by number, and what broke a promise (template, method and status)."""
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
                    failed.extend(_broken_promises(case, answer))

                try:
                    send()
                except (schemathesis.errors.SchemathesisError, Unsatisfiable):
                    continue  # an operation without parameters has no wrong form
    return statuses, failed


def _broken_promises(case: Any, answer: Any) -> list[str]:
    if case.method.upper() not in ("GET", "POST") and answer.status_code == 405:
        return []
    where = f"{case.operation.label}: {answer.status_code}"
    try:
        case.validate_response(answer, checks=_CHECKS)
    except schemathesis.errors.SchemathesisError as error:
        return [f"{where} {error}"]
    except BaseExceptionGroup as group:
        return [f"{where} {type(e).__name__}: {str(e)[:200]}" for e in group.exceptions]
    return []


def _arguments(case: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = case.as_transport_kwargs(base_url="http://testserver")
    return {k: v for k, v in arguments.items() if v is not None and k != "cookies"}


if __name__ == "__main__":
    found, wrong = fuzz(int(sys.argv[1]))
    kinds = Counter(wrong).most_common(20)
    sys.stdout.write(f"{found.total()} calls, by status {dict(sorted(found.items()))}, broken promises: {kinds}\n")
    sys.exit(1 if wrong else 0)
