"""Text of a chart that needs no escaping is left as it is: the short cut and the long way say the same."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from hooks.cards import markdown
from hooks.cards.markdown import escape, plain

TELLING = st.sampled_from(
    ["`", "*", "www.", "://", "1. ", "- ", "+", "=", "@", "&", "<", "\\", "#", "\u200b", "\u00a0", "\n"]
)
TEXTS = st.lists(st.text(max_size=6) | TELLING | st.sampled_from(["calcium ", "2.31", " (hand)"]), max_size=8).map(
    "".join
)


def long_way(text: str) -> str:
    flat = " ".join(markdown._INVISIBLE.sub(" ", text).split())
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    flat = markdown._LEADING.sub(r"\1\\\2", markdown._MARKUP.sub(r"\\\1", flat)).replace("@", " at ")
    return markdown._AUTOLINK.sub(lambda match: f"{match[1]} ." if match[1] else " :", flat)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_escaping_by_the_short_cut(text: str) -> None:
    assert plain(text) == " ".join(markdown._INVISIBLE.sub(" ", text).split())
    assert escape(text) == long_way(text)


def test_no_invisible_character_is_printable() -> None:
    every = (chr(code) for code in range(0x10000))
    assert not any(char.isprintable() for char in every if re.fullmatch(markdown._INVISIBLE, char))
