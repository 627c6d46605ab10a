"""Prometheus metrics: by route template, tenant, status, outcome and completeness reason; never a value of a chart.

Every label is of a closed list: routes are templates, tenants are those of the tenants file and only after their token
was verified, reasons are codes. So no caller can make the number of series grow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
        self._series: dict[tuple[Any, ...], Any] = {}
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
        self._reopened = Counter(
            "cds_charts_reopened_total", "Charts opened again unchanged", ["service"], registry=self.registry
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
        self._of(self._feedback, service, outcome).inc()

    def request(self, route: str, tenant: str, status: int, seconds: float) -> None:
        self._of(self._requests, route, tenant, str(status)).inc()
        self._of(self._seconds, route, tenant).observe(seconds)

    def assessed(self, grade: str, card: str) -> None:
        self._of(self._grades, grade, card).inc()

    def incomplete(self, need: str, state: str, reason: str) -> None:
        """`reason` is a code of `cds_service.reasons`."""
        self._of(self._needs, need, state, reason).inc()

    def outcome(self, tenant: str, service: str, outcome: str) -> None:
        """What became of an evaluation: shown, nothing, silent, rollout, suppressed, unreadable."""
        self._of(self._outcomes, tenant, service, outcome).inc()

    def reopened(self, service: str) -> None:
        self._of(self._reopened, service).inc()

    def store_failed(self, what: str) -> None:
        self._of(self._store, what).inc()

    def _of(self, metric: Any, *labels: str) -> Any:
        """The series of these labels, of which there are few: looked up in the library once."""
        found = self._series.get((metric, *labels))
        if found is None:
            found = self._series[metric, *labels] = metric.labels(*labels)
        return found

    def text(self) -> bytes:
        return generate_latest(self.registry)
