"""Traces say how long what took, and nothing about anybody: canaries in every place, spans kept in memory."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.errors import SettingsError
from cds_service.settings import Settings
from cds_service.tracing import Tracer, open_tracer
from tests.charts import TODAY
from tests.security.test_phi import BROKEN, CANARIES, PATH, call
from tests.serving import listening, serving

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


class Collector:
    """An OTLP receiver over HTTP: what was sent, as it came over the wire."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers, body, more = dict(scope["headers"]), b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        assert (scope["method"], scope["path"]) == ("POST", "/v1/traces")
        assert headers[b"content-type"] == b"application/x-protobuf"
        self.sent.append(gzip.decompress(body) if headers.get(b"content-encoding") == b"gzip" else body)
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/x-protobuf")]}
        )
        await send({"type": "http.response.body", "body": b""})


@pytest.mark.long
def test_a_collector_gets_the_spans_of_a_service_and_nothing_of_anybody(tmp_path: Path) -> None:
    """The service as a process, its exporter, a collector at the other end of a socket, and the bytes in between."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="requirements/otel.txt is not installed")
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    collector = Collector()
    with listening(collector) as url:
        settings = {
            "CDS_PROFILE": "sandbox",
            "CDS_DATABASE_URL": f"sqlite:///{tmp_path}/cds.sqlite3",
            "CDS_DEADLINE_MS": "300",
            "CDS_TRACES_URL": f"{url}/v1/traces",
        }
        with serving(tmp_path, settings) as served, httpx.Client(base_url=served.url, timeout=30) as client:
            headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": f"x={CANARIES[0]}"}
            for body in (call(), *BROKEN):
                client.post(PATH, json=body, headers=headers)
                client.post(f"/assessments?name={CANARIES[0]}", json=body, headers=headers)
            client.get(f"/{CANARIES[0]}/x")
            assert served.stop() == 0, "what is left is sent at the end"
    assert collector.sent
    spans = [
        span
        for sent in collector.sent
        for resource in ExportTraceServiceRequest.FromString(sent).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    names = [span.name for span in spans]
    assert names.count("request") == 2 * (1 + len(BROKEN)) + 1
    assert {"gather", "read and assess"} <= set(names)
    assert any(span.trace_id.hex() == TRACE and span.parent_span_id.hex() == PARENT for span in spans)
    assert {attribute.key for span in spans for attribute in span.attributes} <= {
        "route", "method", "status", "tenant", "type", "reason", "resources", "grade", "cards"
    }  # fmt: skip
    wire = b"".join(collector.sent).lower()
    assert [canary for canary in CANARIES if canary.lower().encode() in wire] == []
