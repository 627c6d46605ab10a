"""One letter wrong, and no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.misspelt import Misspelt

NAMES = ("propranolol", "diltiazem", "clonidine", "clonidin", "gold")
MISSPELT = Misspelt(NAMES, others=("clonixin",))


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("propanolol", {"propranolol"}),
        ("proppranolol", {"propranolol"}),
        ("diltiazam", {"diltiazem"}),
        ("diltaizem", {"diltiazem"}),
        ("clonixin", set()),
        ("dilitazam", set()),
        ("golds", set()),
        ("dilt1azem", set()),
        ("", set()),
    ],
)
def test_what_a_word_misspells(word: str, names: set[str]) -> None:
    assert MISSPELT.names_of(word) == names


@given(st.text(max_size=20))
def test_any_word(word: str) -> None:
    assert all(abs(len(name) - len(word)) <= 1 for name in MISSPELT.names_of(word))


@given(st.integers(0, 8), st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
def test_a_changed_letter_is_found(place: int, letter: str) -> None:
    word = "diltiazem"[:place] + letter + "diltiazem"[place + 1 :]
    assert ("diltiazem" in MISSPELT.names_of(word)) == (word != "diltiazem")
