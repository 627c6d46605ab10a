"""Traces, for those who want them: off unless CDS_TRACES_URL names an OpenTelemetry collector, and then nothing of
OpenTelemetry is even imported.

Spans carry the allow-listed attributes below and nothing else: no address, no id, no text, no exception message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_service import __version__
from cds_service.errors import SettingsError
from hooks.services import RESOURCE_NEEDS

_ALLOWED = frozenset({"route", "method", "status", "tenant", "type", "reason", "resources", "grade", "cards"})
_LONGEST = 64
_TYPES = frozenset({*RESOURCE_NEEDS, "Binary", "DocumentReference", "Medication", "ProcedureRequest", "metadata"})
_METHODS = frozenset({"GET", "POST", "OPTIONS", "HEAD"})


class Span(Protocol):
    def note(self, **attributes: str | int) -> None: ...


class _NoSpan:
    def note(self, **attributes: str | int) -> None:
        """Traces are off."""


class _RealSpan:
    def __init__(self, span: Any) -> None:
        self._span = span

    def note(self, **attributes: str | int) -> None:
        for name, value in _allowed(attributes).items():
            self._span.set_attribute(name, value)


class Tracer:
    """Spans of one provider (opentelemetry.sdk.trace.TracerProvider)."""

    def __init__(self, provider: Any) -> None:
        self.provider, self._tracer = provider, provider.get_tracer("cds_service", __version__)

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, str | int], parent: Any = None) -> Iterator[Span]:
        """A span; an exception that passes ends it without leaving a word in it."""
        with self._tracer.start_as_current_span(
            name,
            context=parent,
            attributes=_allowed(attributes),
            record_exception=False,
            set_status_on_exception=False,
        ) as made:
            yield _RealSpan(made)


_TRACER: ContextVar[Tracer | None] = ContextVar("tracer", default=None)


def span(name: str, **attributes: str | int) -> AbstractContextManager[Span]:
    """A span of the request that is being answered; nothing where traces are off."""
    tracer = _TRACER.get()
    return nullcontext(_NoSpan()) if tracer is None else tracer.span(name, attributes)


def resource_type(url: str, base: str) -> str:
    """The resource type that a FHIR URL asks for, of a closed list."""
    kind = url.removeprefix(base).lstrip("/").partition("?")[0].partition("/")[0]
    return kind if kind in _TYPES else "other"


def open_tracer(url: str) -> Tracer:
    """Traces to an OTLP collector over HTTP. SettingsError where the extra `otel` is not installed."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SettingsError("CDS_TRACES_URL needs the extra `otel` to be installed") from None
    resource = Resource({"service.name": "calcinosis-cds", "service.version": __version__})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    return Tracer(provider)


class Traced:
    """One span for each request, below the caller's own (W3C traceparent)."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self.app, self.tracer = app, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = scope["method"] if scope["method"] in _METHODS else "other"
        token = _TRACER.set(self.tracer)
        try:
            with self.tracer.span("request", {"method": method}, _parent(scope)) as made:
                try:
                    await self.app(scope, receive, watched)
                finally:
                    route = str(getattr(scope.get("route"), "path", "unmatched"))
                    made.note(route=route, status=status, tenant=str(scope.get("cds_tenant", "-")))
        finally:
            _TRACER.reset(token)


def _parent(scope: Scope) -> Any:
    """The caller's span. Only its two numbers are taken over: what else a client sends along may say anything."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    header = dict(scope["headers"]).get(b"traceparent", b"").decode("latin-1")
    return TraceContextTextMapPropagator().extract({"traceparent": header})


def _allowed(attributes: Mapping[str, str | int]) -> dict[str, str | int]:
    return {
        name: value if isinstance(value, int) else value[:_LONGEST]
        for name, value in attributes.items()
        if name in _ALLOWED
    }
