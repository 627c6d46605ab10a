"""Calls made up from our own OpenAPI: `python -m tests.fuzz.api N [SECONDS [SEED]]`.

Schemathesis draws N calls of each operation, right ones and wrong ones; then these are crossed with one another for so
many seconds (`tests/fuzz/crossing.py`). Prints how many calls were answered; exit code 1 when one of them was answered
with a 5xx, or in a way that the description does not promise: another status, another media type, a body of another
shape. Everything runs in this process, without sockets.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema_rs
import orjson
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.charts import TODAY
from tests.fuzz.asgi import Told, ask
from tests.fuzz.crossing import Made, Stock

_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
_FEW = 100
"""up to so many examples the same ones are drawn each time."""


@dataclass(slots=True)
class Found:
    """Answers by operation and status, of drawn and of crossed calls; what broke a promise."""

    drawn: Counter[tuple[str, int]] = field(default_factory=Counter)
    crossed: Counter[tuple[str, int]] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)


def fuzz(examples: int, seconds: float = 0.0, seed: int = 0) -> Found:
    """Draws, sends and judges; then crosses what was drawn for so long."""
    app = create_app(Settings(profile="sandbox", as_of=TODAY, database_url="sqlite://", deadline_ms=100))
    with asyncio.Runner() as runner:
        life = app.router.lifespan_context(app)
        runner.run(life.__aenter__())
        try:
            return _fuzz(app, runner.run, examples, seconds, random.Random(seed))
        finally:
            runner.run(life.__aexit__(None, None, None))


def _fuzz(app: Any, run: Callable[[Any], Any], examples: int, seconds: float, draw: random.Random) -> Found:
    document = app.openapi()
    found, stock = Found(), Stock()
    for operation in [each.ok() for each in schemathesis.openapi.from_dict(document).get_all_operations()]:
        for mode in schemathesis.GenerationMode:

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=examples,
                deadline=None,
                database=None,
                derandomize=examples < _FEW,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def send(case: Any) -> None:
                request = _prepared(case)
                made = _made(request)
                told = run(_told(app, made))
                found.drawn[case.operation.label, told.status] += 1
                found.failed.extend(_broken_promises(case, request, told))
                stock.keep(case.operation.label, made, told.status, draw)

            try:
                send()
            except (schemathesis.errors.SchemathesisError, Unsatisfiable):
                continue  # an operation without parameters has no wrong form
    if seconds:
        run(_cross(app, Promises(document), stock, found, seconds, draw))
    return found


async def _cross(app: Any, promises: Promises, stock: Stock, found: Found, seconds: float, draw: random.Random) -> None:
    until = time.monotonic() + seconds
    labels = [label for label, calls in stock.calls.items() if any(made.value for c in calls.values() for made in c)]
    while time.monotonic() < until:
        label = draw.choice(labels)
        made = stock.child(label, draw)
        told = await _told(app, made)
        found.crossed[label, told.status] += 1
        wrong = promises.broken(label, told)
        if wrong is not None and len(found.failed) < 200:
            found.failed.append(f"{label}: {wrong} {made.path} {made.body[:2000]!r}")
        if told.status == 200 or draw.random() < 0.01:
            stock.keep(label, made, told.status, draw)
        if told.status == 200 and draw.random() < 0.05:
            stock.learn(orjson.loads(told.body), draw)


async def _told(app: Any, made: Made) -> Told:
    return await ask(
        app, made.method, made.path, made.body, raw_path=made.raw_path, query=made.query, headers=made.headers
    )


class Promises:
    """The description, compiled: which statuses and media types each operation has, and the shapes of the bodies."""

    def __init__(self, document: dict[str, Any]) -> None:
        components = {"components": document["components"]}
        self._answers = {
            (f"{method.upper()} {path}", int(status)): {
                kind: jsonschema_rs.validator_for({**content["schema"], **components}) if content else None
                for kind, content in answer["content"].items()
            }
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
            for status, answer in operation["responses"].items()
        }

    def broken(self, label: str, told: Told) -> str | None:
        """What of an answer was not promised."""
        if (label, told.status) not in self._answers:
            return f"{told.status} is not described {told.body[:100]!r}"
        kinds = self._answers[label, told.status]
        if told.media_type not in kinds:
            return f"{told.status} as {told.media_type}"
        validator = kinds[told.media_type]
        if validator is None or validator.is_valid(orjson.loads(told.body)):
            return None
        return f"{told.status} of another shape"


def _prepared(case: Any) -> requests.PreparedRequest:
    kept = ("method", "url", "headers", "params", "data", "json", "files")
    arguments = case.as_transport_kwargs(base_url="http://testserver")
    return requests.Request(**{name: arguments.get(name) for name in kept}).prepare()


def _made(request: requests.PreparedRequest) -> Made:
    url = urlsplit(str(request.url))
    body = request.body or b""
    content = body if isinstance(body, bytes) else str(body).encode("utf-8", "surrogatepass")
    headers = tuple((n.lower().encode("latin-1"), _bytes(v)) for n, v in (request.headers or {}).items())
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        value = None
    path = unquote(url.path, errors="surrogateescape").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    named = ((b"host", b"testserver"), *(pair for pair in headers if pair[0] != b"content-length"))
    return Made(str(request.method), path, url.path.encode(), url.query.encode(), named, content, value)


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")


def _broken_promises(case: Any, request: requests.PreparedRequest, told: Told) -> list[str]:
    if case.method.upper() not in ("GET", "POST") and told.status == 405:
        return []
    where = f"{case.operation.label}: {told.status}"
    headers = {name.decode("latin-1"): [value.decode("latin-1")] for name, value in told.headers.items()}
    try:
        case.validate_response(Response(told.status, headers, told.body, request, 0.0, True), checks=_CHECKS)
    except schemathesis.errors.SchemathesisError as error:
        return [f"{where} {error}"]
    except BaseExceptionGroup as group:
        return [f"{where} {type(e).__name__}: {str(e)[:200]}" for e in group.exceptions]
    return []


def _by_status(answers: Counter[tuple[str, int]]) -> Counter[int]:
    total: Counter[int] = Counter()
    for (_, status), count in answers.items():
        total[status] += count
    return total


def main(arguments: list[str]) -> int:
    examples = int(arguments[0])
    seconds = float(arguments[1]) if len(arguments) > 1 else 0.0
    seed = int(arguments[2]) if len(arguments) > 2 else int(time.time())
    found = fuzz(examples, seconds, seed)
    for name, answers in (("drawn", found.drawn), ("crossed", found.crossed)):
        sys.stdout.write(f"{answers.total()} calls {name}, by status {dict(sorted(_by_status(answers).items()))}\n")
        for label in sorted({label for label, _ in answers}):
            own = {status: count for (of, status), count in sorted(answers.items()) if of == label}
            sys.stdout.write(f"    {label}: {own}\n")
    sys.stdout.write(f"seed {seed}, broken promises: {len(found.failed)}\n")
    for wrong, count in Counter(found.failed).most_common(20):
        sys.stdout.write(f"{count} × {wrong}\n")
    return 1 if found.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
