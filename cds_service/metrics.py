"""Prometheus metrics: by route template, tenant, status, outcome and completeness reason; never a value of a chart.

Every label is of a closed list: routes are templates, tenants are those of the tenants file and only after their token
was verified, reasons are codes. So no caller can make the number of series grow.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)


class Metrics:
    """One registry per application, so that tests and workers do not share counters."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # resident memory, open files, CPU seconds, start time
        self._requests = Counter(
            "cds_requests_total", "Requests", ["route", "tenant", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "cds_request_seconds",
            "Time to answer",
            ["route", "tenant"],
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
        )
        self._grades = Counter("cds_assessments_total", "Assessments", ["grade", "card"], registry=self.registry)
        self._needs = Counter(
            "cds_incomplete_needs_total",
            "Data needs not read completely",
            ["need", "state", "reason"],
            registry=self.registry,
        )

        self._outcomes = Counter(
            "cds_evaluations_total", "Evaluations", ["tenant", "service", "outcome"], registry=self.registry
        )
        self._store = Counter(
            "cds_store_failures_total", "Store operations that failed", ["what"], registry=self.registry
        )
        self._feedback = Counter("cds_feedback_total", "Feedback items", ["service", "outcome"], registry=self.registry)

    def watch(self, name: str, what: str, now: Callable[[], float]) -> None:
        """A gauge that is read when somebody looks: how full a part of the service is at this moment."""
        Gauge(name, what, registry=self.registry).set_function(now)

    def about(self, version: str, knowledge: str, profile: str) -> None:
        """What is running, for dashboards that mark a change of version."""
        found = Info("cds_build", "What is running", registry=self.registry)
        found.info({"version": version, "knowledge": knowledge, "profile": profile})

    def feedback(self, service: str, outcome: str) -> None:
        self._feedback.labels(service, outcome).inc()

    def request(self, route: str, tenant: str, status: int, seconds: float) -> None:
        self._requests.labels(route, tenant, str(status)).inc()
        self._seconds.labels(route, tenant).observe(seconds)

    def assessed(self, grade: str, card: str) -> None:
        self._grades.labels(grade, card).inc()

    def incomplete(self, need: str, state: str, reason: str) -> None:
        """`reason` is a code of `cds_service.reasons`."""
        self._needs.labels(need, state, reason).inc()

    def outcome(self, tenant: str, service: str, outcome: str) -> None:
        """What became of an evaluation: shown, nothing, silent, rollout, suppressed, unreadable."""
        self._outcomes.labels(tenant, service, outcome).inc()

    def store_failed(self, what: str) -> None:
        self._store.labels(what).inc()

    def text(self) -> bytes:
        return generate_latest(self.registry)
