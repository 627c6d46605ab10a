"""A circuit breaker per FHIR server: one that keeps failing is left alone for a moment, then tried with one call."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct, field

_FAILURES = 16
"""failures in a row that open the circuit: nearly two whole charts of nine reads, so that one bad chart never does."""
_PAUSE_SECONDS = 5.0
_MOST_SERVERS = 1000


class _Circuit(Struct):
    failures: int = 0
    open_until: float | None = None
    probing_until: float | None = None


class Breakers(Struct):
    """The circuits of one HTTP client. `allows` before a call, `succeeded` or `failed` after it.

    A failure is one of the server (no connection, no answer in time, status 5xx), never one of the request (4xx)."""

    clock: Callable[[], float] = time.monotonic
    failures: int = _FAILURES
    pause: float = _PAUSE_SECONDS
    _circuits: dict[str, _Circuit] = field(default_factory=dict)

    def allows(self, base: str) -> bool:
        """False while the circuit is open; half-open, one call at a time is let through to try the server."""
        circuit = self._circuits.get(base)
        if circuit is None or circuit.open_until is None:
            return True
        now = self.clock()
        if now < circuit.open_until or (circuit.probing_until is not None and now < circuit.probing_until):
            return False
        # a probe that is cancelled reports nothing: the next one may go when a pause has passed
        circuit.probing_until = now + self.pause
        return True

    def succeeded(self, base: str) -> None:
        self._circuits.pop(base, None)

    def failed(self, base: str) -> None:
        if base not in self._circuits and len(self._circuits) >= _MOST_SERVERS:
            self._circuits.pop(next(iter(self._circuits)))
        circuit = self._circuits.setdefault(base, _Circuit())
        circuit.failures += 1
        if circuit.failures >= self.failures:
            circuit.open_until = self.clock() + self.pause
            circuit.probing_until = None
