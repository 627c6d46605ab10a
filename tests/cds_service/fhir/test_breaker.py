"""The circuit breaker: open after many failures, one probe after the pause, closed by a success."""

from __future__ import annotations

from cds_service.fhir.breaker import Breakers


def test_opens_half_opens_and_closes() -> None:
    now = [0.0]
    breakers = Breakers(clock=lambda: now[0], failures=3, pause=5)
    for _ in range(3):
        assert breakers.allows("a")
        breakers.failed("a")
    assert not breakers.allows("a")
    assert breakers.allows("b"), "each server has its own circuit"
    now[0] = 5.1
    assert breakers.allows("a")
    assert not breakers.allows("a"), "one probe at a time"
    breakers.failed("a")
    assert not breakers.allows("a")
    now[0] = 10.3
    assert breakers.allows("a")
    breakers.succeeded("a")
    assert breakers.allows("a")
    assert breakers.allows("a")


def test_a_success_in_between_starts_the_count_again() -> None:
    breakers = Breakers(failures=2)
    breakers.failed("a")
    breakers.succeeded("a")
    breakers.failed("a")
    assert breakers.allows("a")
