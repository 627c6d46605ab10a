"""The published cases on another FHIR server: over real HTTP, again and again, and when the server says no."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import Response

from cds_service.cli import main
from cds_service.sandbox.app import SandboxSettings, sandbox_app
from cds_service.sandbox.cases import published_cases
from cds_service.sandbox.load_cases import LoadError, load_cases
from cds_service.sandbox.process import today
from cds_service.sandbox.store import Store
from tests.serving import listening


def test_every_case_arrives_and_may_be_written_again() -> None:
    store = Store(":memory:")
    with listening(sandbox_app(store, SandboxSettings("http://127.0.0.1:9", today()))) as url:
        first = load_cases(f"{url}/fhir/", wait_seconds=5)
        assert load_cases(f"{url}/fhir") == first
    patients = set(store.search("Patient", [("_count", "200")]).ids)
    assert patients == {stage.id for stage in published_cases()}
    assert first > 5 * len(patients)


def test_the_command_says_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    with listening(sandbox_app(Store(":memory:"), SandboxSettings("http://127.0.0.1:9", today()))) as url:
        assert main(["load-cases", "--fhir-server", f"{url}/fhir"]) == 0
    assert "resources written" in capsys.readouterr().out


def test_a_refusal_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    async def refuses(scope: Any, receive: Any, send: Any) -> None:
        await Response("no", 403)(scope, receive, send)

    with listening(refuses) as url:
        with pytest.raises(LoadError, match="403"):
            load_cases(url)
        assert main(["load-cases", "--fhir-server", url]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_nobody_there() -> None:
    with pytest.raises(LoadError, match="could not be reached"):
        load_cases("http://127.0.0.1:9/fhir")


def test_the_page_may_show_another_server() -> None:
    store = Store(":memory:")
    settings = SandboxSettings("http://127.0.0.1:9", today(), "http://127.0.0.1:8082/fhir")
    with listening(sandbox_app(store, settings)) as url:
        import httpx

        page = httpx.get(f"{url}/")
        assert "http://127.0.0.1:8082" in page.headers["content-security-policy"]
        assert httpx.get(f"{url}/sandbox/config").json()["fhirServer"] == "http://127.0.0.1:8082/fhir"
