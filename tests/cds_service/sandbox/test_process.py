"""The sandbox's day, and the demo's answers when it can't start."""

from __future__ import annotations

import socket
from datetime import UTC, date, datetime

import pytest

from cds_service.sandbox import demo, process, today
from tests.serving import free_port


def test_today_is_fixed_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_AS_OF", "2026-06-01")
    assert today() == date(2026, 6, 1)
    monkeypatch.setenv("CDS_AS_OF", "")
    assert abs((today() - datetime.now(UTC).date()).days) <= 1


def test_a_day_that_is_none_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_AS_OF", "June")
    with pytest.raises(SystemExit, match="CDS_AS_OF"):
        today()


class Started:
    """A process that was not started; ends by itself when it is looked at often enough."""

    def __init__(self) -> None:
        self.looks = 0

    def poll(self) -> int | None:
        self.looks += 1
        return None if self.looks < 10 else 1

    def terminate(self) -> None: ...

    def wait(self, timeout: float) -> int:
        return 1


@pytest.mark.parametrize("charts_come", [True, False])
def test_the_service_is_up_only_when_the_charts_are(monkeypatch: pytest.MonkeyPatch, charts_come: bool) -> None:
    """Ready is when /healthz answers: a hook that is fired in that moment must find its FHIR server."""
    happened: list[str] = []

    def popen(command: list[str], **_: object) -> Started:
        happened.append(next(name for name in ("serve", "sandbox") if name in command))
        return Started()

    def answers(url: str) -> bool:
        if charts_come or "/fhir/" not in url:
            happened.append(url.rpartition("/")[2])
            return True
        return False

    monkeypatch.setattr(process.subprocess, "Popen", popen)
    monkeypatch.setattr(process.signal, "signal", lambda *_: None)
    monkeypatch.setattr(process.time, "sleep", lambda _: None)
    monkeypatch.setattr(process, "_answers", answers)
    said: list[str] = []
    assert demo(port=free_port(), say=said.append) == 1
    assert happened == (["sandbox", "metadata", "serve", "healthz"] if charts_come else ["sandbox"])
    assert bool(said) == charts_come


def test_demo_says_which_port_is_taken() -> None:
    said: list[str] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert demo(port=port, say=said.append) == 1
    assert str(port) in said[0] and "PORT=" in said[0]
