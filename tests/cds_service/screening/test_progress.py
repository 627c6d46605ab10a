"""The progress bar: how far, how fast, how long still; on a terminal only."""

from __future__ import annotations

import io

from cds_service.screening.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_rate_and_time_left_count_what_this_run_did() -> None:
    now = [100.0]
    out = Terminal()
    progress = Progress(out, clock=lambda: now[0])
    progress.stage("scanning", 1000, "B", done=200)
    now[0] = 110.0
    progress.show(600, "7 lines")
    shown = out.getvalue().split("\r\x1b[K")[-1]
    assert shown.startswith("scanning  [##############----------]  60%")
    assert "40 B/s" in shown, "400 in ten seconds; the 200 before were another run's"
    assert "0:10 left" in shown
    assert shown.endswith("left")
    progress.end()
    assert out.getvalue().endswith("\r\x1b[K"), "nothing of it stays"


def test_it_is_not_drawn_more_often_than_anybody_looks() -> None:
    now = [0.0]
    out = Terminal()
    progress = Progress(out, clock=lambda: now[0])
    progress.stage("deciding", 100, "patients")
    for done in range(100):
        now[0] += 0.01
        progress.show(done)
    assert out.getvalue().count("\r") < 10


def test_a_file_gets_none_of_it() -> None:
    out = io.StringIO()
    progress = Progress(out)
    progress.stage("scanning", 10, "B")
    progress.show(5)
    progress.end()
    assert out.getvalue() == ""
