"""What the companion's page says of dates, and of what could not be read."""

from __future__ import annotations

from cds_service.companion.view import PageView
from cds_service.pages import rendered
from hooks.knowledge import load_knowledge
from tests.hooks.dialogue.talking import talk

CHART = """
    Patient    | female | 40y
    Condition  | SLE | onset -17y
    Exam       | several stony-hard nodules of both elbows for 3 months | -10d
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
"""
ALL_READ = "Everything that was asked for was read."


def page(more: str = "") -> str:
    step = talk(CHART + more).at({}, ask=False)
    view = PageView(step, load_knowledge(), "https://cds.example.org")
    return rendered("companion/live.html", title="t", headings={}, base="", view=view, step=step)


def test_the_day_when_a_server_stored_a_record_is_not_shown_as_its_date() -> None:
    discoid, nodules = (f"Condition | {name} | nocode | updated -1d" for name in ("Discoid lupus", "hard nodules"))
    stored = page(f"{discoid}\n{nodules}\n")
    assert "Discoid lupus" in stored
    assert "<li>hard nodules" in stored
    assert "2026-05-31" not in stored
    assert "2026-05-30" in page(f"{discoid} | recorded -2d\n")


def test_text_that_could_not_be_interpreted_is_named_as_on_the_card() -> None:
    assert ALL_READ in page()
    vague = page("Imaging | X-ray of the pelvis | Mottled midline pelvic calcification, possible fibroid. | -5d\n")
    assert "holds text that could not be interpreted" in vague
    assert ALL_READ not in vague
