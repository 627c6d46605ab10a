"""The companion's page tells nothing of entries with restricted access: not in its evidence, not in its timeline."""

from __future__ import annotations

import pytest

from cds_service.companion.timeline import rows
from cds_service.companion.view import PageView
from hooks.knowledge import load_knowledge
from tests.hooks.dialogue.talking import talk

_CHART = """
    Patient    | female | 40y
    Condition  | SLE | onset -17y {disease}
    Exam       | several stony-hard nodules of both elbows, thighs and forearms for 3 months | -10d {lesion}
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d {calcium}
    Imaging    | X-ray of both elbows | Subcutaneous calcification of both elbows. | -5d {imaging}
    Medication | metoprolol | 50 mg/d | -1y {drug}
"""
_NAMES = ("disease", "lesion", "calcium", "imaging", "drug")


def page(*restricted: str) -> str:
    table = _CHART.format(**{name: "| security=R" if name in restricted else "" for name in _NAMES})
    step = talk(table).at({}, ask=False)
    view = PageView(step, load_knowledge(), "https://cds.example.org")
    shown = [view.sentences, tuple(view.criteria()), view.options(), [row.text for row in rows(step.facts)]]
    return str(shown).casefold()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("disease", "lupus"),
        ("lesion", "stony"),
        ("calcium", "2.31"),
        ("imaging", "(radiograph, 2026"),
        ("imaging", "x-ray of both elbows"),
        ("drug", "metoprolol"),
    ],
)
def test_what_a_restricted_entry_says_is_not_on_the_page(name: str, words: str) -> None:
    assert words in page()
    hidden = page(name)
    assert words not in hidden
    assert "restricted access" in hidden
