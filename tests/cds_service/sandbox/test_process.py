"""The sandbox's day, and the demo's answers when it can't start."""

from __future__ import annotations

import socket
from datetime import UTC, date, datetime

import pytest

from cds_service.sandbox import demo, today


def test_today_is_fixed_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_AS_OF", "2026-06-01")
    assert today() == date(2026, 6, 1)
    monkeypatch.setenv("CDS_AS_OF", "")
    assert abs((today() - datetime.now(UTC).date()).days) <= 1


def test_a_day_that_is_none_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_AS_OF", "June")
    with pytest.raises(SystemExit, match="CDS_AS_OF"):
        today()


def test_demo_says_which_port_is_taken() -> None:
    said: list[str] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert demo(port=port, say=said.append) == 1
    assert str(port) in said[0] and "PORT=" in said[0]
