"""Traces say how long what took, and nothing about anybody: canaries in every place, spans kept in memory."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.errors import SettingsError
from cds_service.settings import Settings
from cds_service.tracing import Tracer, open_tracer
from tests.charts import TODAY
from tests.security.test_phi import BROKEN, CANARIES, PATH, call

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def traced(*bodies: Any, headers: dict[str, str] | None = None) -> list[Any]:
    """The spans of these calls."""
    pytest.importorskip("opentelemetry.sdk", reason="requirements/otel.txt is not installed")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    settings = Settings(profile="sandbox", as_of=TODAY, deadline_ms=300, database_url="sqlite://")
    app = create_app(settings, tracer=Tracer(provider))
    with TestClient(app, client=("127.0.0.1", 1), raise_server_exceptions=False) as client:
        for body in bodies:
            client.post(PATH, json=body, headers=headers or {})
            client.post(f"/assessments?name={CANARIES[0]}", json=body, headers=headers or {})
        client.get(f"/{CANARIES[0]}/x")
        client.request(CANARIES[0], PATH)
    return list(kept.get_finished_spans())


def test_no_canary_is_in_any_span() -> None:
    spans = traced(*BROKEN, headers={"tracestate": f"x={CANARIES[0]}", "baggage": f"patient={CANARIES[0]}"})
    assert len(spans) > len(BROKEN) * 2
    text = "\n".join(span.to_json() for span in spans).lower()
    assert [canary for canary in CANARIES if canary.lower() in text] == []
    assert "127.0.0.1" not in text
    assert all(not span.events and span.status.description is None for span in spans)


def test_spans_of_a_call_lie_below_the_callers_own() -> None:
    spans = traced(call(), headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    mine = [span for span in spans if f"{span.context.trace_id:032x}" == TRACE]
    by_name = {span.name: span for span in mine}
    assert by_name.keys() >= {"request", "gather", "fhir", "read and assess"}
    requests = [span for span in mine if span.name == "request"]
    assert {f"{span.parent.span_id:016x}" for span in requests} == {PARENT}
    assert {span.attributes["route"] for span in requests} == {"/cds-services/{service_id}", "/assessments"}
    asked = [span for span in mine if span.name == "fhir"]
    assert {span.attributes["type"] for span in asked} <= {"Observation", "metadata", "Patient"} | {"Condition"}


@pytest.mark.long
def test_nothing_is_imported_while_traces_are_off() -> None:
    code = (
        "import sys; from cds_service.app import create_app; from cds_service.settings import Settings; "
        "create_app(Settings(profile='sandbox', database_url='sqlite://')); "
        "sys.exit(any(name.startswith('opentelemetry.sdk') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120, check=False).returncode == 0


def test_without_the_extra_the_start_is_refused() -> None:
    try:
        import opentelemetry.exporter.otlp.proto.http  # noqa: F401
    except ImportError:
        with pytest.raises(SettingsError, match="CDS_TRACES_URL"):
            open_tracer("https://collector.example.org/v1/traces")
