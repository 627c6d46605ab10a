"""A few made-up calls of each operation; `make fuzz` sends many more."""

from __future__ import annotations

import pytest


@pytest.mark.long
def test_no_made_up_call_breaks_the_service() -> None:
    pytest.importorskip("schemathesis", reason="make fuzz-tools")
    from tests.fuzz.api import fuzz

    found = fuzz(5, seconds=0.5)
    assert found.failed == []
    assert found.drawn.total() > 30
    assert found.crossed.total() > 30


@pytest.mark.long
def test_a_broken_promise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check itself: a description without 404 is contradicted by unknown keys of the evidence base."""
    pytest.importorskip("schemathesis", reason="make fuzz-tools")
    from cds_service import openapi
    from tests.fuzz.api import fuzz

    path = ("/evidence/{key}", "get")
    less = (*openapi._OPERATIONS[path][:2], ())
    monkeypatch.setattr(openapi, "_OPERATIONS", openapi._OPERATIONS | {path: less})
    failed = fuzz(3).failed
    assert failed
    assert all(f.startswith("GET /evidence/{key}: 404") for f in failed)


def test_a_broken_promise_of_a_crossed_call_is_found() -> None:
    pytest.importorskip("schemathesis", reason="make fuzz-tools")
    from tests.fuzz.api import Promises
    from tests.fuzz.asgi import Told

    good = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Cards"}}}}
    document = {
        "components": {"schemas": {"Cards": {"type": "object", "required": ["cards"]}}},
        "paths": {"/hook": {"post": {"responses": {"200": good}}}},
    }
    promises, kind = Promises(document), {b"content-type": b"application/json"}
    assert promises.broken("POST /hook", Told(200, kind, b'{"cards":[]}')) is None
    for told in (
        Told(500, kind, b"{}"),
        Told(200, kind, b'{"card":[]}'),
        Told(200, {b"content-type": b"text/html"}, b'{"cards":[]}'),
    ):
        assert promises.broken("POST /hook", told) is not None
