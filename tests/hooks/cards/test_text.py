"""Chart text in Markdown, and dates in words."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks.cards.dates import as_roughly_as_said, dates_in_words, in_words
from hooks.cards.markdown import code, escape, plain, shorten
from mappings.dates import PartialDate
from tests.conformance import GFM
from tests.hooks.cards.strategies import HOSTILE

INERT = {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


def tokens(markdown: str) -> set[str]:
    blocks = GFM.parse(markdown)
    return {t.type for t in blocks} | {t.type for block in blocks for t in block.children or ()}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(text: str) -> None:
    assert tokens(escape(text)) <= INERT


@given(st.text(max_size=200))
def test_any_text_is_inert(text: str) -> None:
    assert tokens(escape(text)) <= INERT
    assert tokens(f"- {escape(text)} x") <= INERT | {
        "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"
    }  # fmt: skip


@pytest.mark.parametrize("text", ["see http://evil.example", "www.evil.example", "HTTPS://x.y", "a@b.example"])
def test_no_link_makes_itself(text: str) -> None:
    rendered = GFM.render(escape(text))
    assert not re.search(r"\w://", rendered)
    assert "www.e" not in rendered
    assert "@" not in rendered


@given(st.text(max_size=300), st.integers(min_value=2, max_value=100))
def test_shortened_text_fits(text: str, limit: int) -> None:
    short = shorten(plain(text), limit)
    assert len(short) <= limit
    assert short == plain(text) or short.endswith("…")


@given(st.text(max_size=300))
def test_plain_text_is_one_line(text: str) -> None:
    assert "\n" not in plain(text)
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("onset", "told"),
    [
        ("2026-05-11", "11 May 2026"),
        ("2026-01-20", "Jan 2026"),
        ("2011-05-26", "2011"),
        ("2025", "2025"),
        ("2025-11", "Nov 2025"),
    ],
)
def test_an_onset_counted_back_is_told_as_roughly_as_it_was_said(onset: str, told: str) -> None:
    when = PartialDate.parse(onset)
    assert when is not None
    assert in_words(as_roughly_as_said(when, date(2026, 6, 1))) == told


def test_a_reference_holds_no_markup() -> None:
    assert code("Observation/a`b](x)\n") == "`Observation/abx`"
    assert code("\n") == "`?`"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-05-12", "12 May 2026"),
        ("2026-05", "May 2026"),
        ("2026", "2026"),
        ("2026-01-02/2026-03-04", "2 Jan 2026 to 4 Mar 2026"),
        ("2026-13-01", "2026-13-01"),
        ("nonsense", "nonsense"),
    ],
)
def test_dates_in_words(text: str, words: str) -> None:
    assert in_words(text) == words
    assert in_words(PartialDate.parse(text) or text) == words
    assert in_words(None) is None


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("Calcium 2.31 mmol/L on 2026-05-12 is normal.", "Calcium 2.31 mmol/L on 12 May 2026 is normal."),
        ("(2026-05-12)", "(12 May 2026)"),
        ("since 2026-05, stable", "since May 2026, stable"),
        ("Observation/2026-05-12", "Observation/2026-05-12"),
        ("lab-2026-05-12", "lab-2026-05-12"),
        ("2026-05-12-final", "2026-05-12-final"),
    ],
)
def test_dates_of_a_sentence(sentence: str, words: str) -> None:
    assert dates_in_words(sentence) == words
