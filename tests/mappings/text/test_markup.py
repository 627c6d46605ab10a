"""Markup around a note is taken away, the words stay; in linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.text.markup import plain


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("Hard nodules, left elbow.", "Hard nodules, left elbow."),
        (
            r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0\fs20 Hard nodules\par N\'f3dulos, caf\u233?}",
            "Hard nodules\nNódulos, café",
        ),
        (r"Hard nodules\par left elbow", "Hard nodules\nleft elbow"),
        (r"Nodules\.br\elbow \T\ knee\H\!\N\ ", "Nodules\nelbow & knee! "),
        ("<p>Hard <b>nod</b>ules</p>", "\nHard nodules\n"),
        ("<tr><td>Elbow</td><td>hard</td></tr>", "\nElbow | hard | \n"),
        ("n&oacute;dulo &lt; 2 cm", "nódulo < 2 cm"),
        ("<div>a<script>hard nodules</script>b<!-- ulcer -->c</div>", "\na b c\n"),
        ("nod\u00adule\u00a0left\u200b \uff33\uff2c\uff25 \ufb01rm", "nodule left SLE firm"),
        ("Calcium <2.1 and PTH >60, a<b", "Calcium <2.1 and PTH >60, a<b"),
        (r"C:\notes\new and 3\4", r"C:\notes\new and 3\4"),
        ("<script>never closed, nodule", " never closed, nodule"),
    ],
)
def test_words_without_markup(sent: str, meant: str) -> None:
    assert plain(sent) == meant


@given(st.text(alphabet=st.sampled_from(list("<>&;/\\{}'\"= abpru1.#-!\u00ad\ud7ff")), max_size=120))
def test_no_scrap_of_markup_raises(text: str) -> None:
    assert isinstance(plain(text), str)


@pytest.mark.parametrize(
    "piece",
    [
        "<a ",
        "<",
        "\\",
        "{",
        "<script>",
        "<!-- <b>",
        "<b a=",
        "\\par",
        "\\X4",
        "<p a='",
        "<a a a a a ",
        "<b><!X ",
        "&lt;",
        "&#1",
    ],
)
def test_hostile_markup_costs_linear_time(piece: str) -> None:
    text = (piece * 200_000)[:200_000]
    start = time.process_time()
    plain(text)
    assert time.process_time() - start < 5  # a square of the length would be minutes
