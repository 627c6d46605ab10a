"""Words that a line break parts at a hyphen are read as the words they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mappings.text.engine import TextEngine
from tests.mappings.text.phrases import got
from tests.mappings.text.phrases import phrases as labelled

ENGINE = TextEngine.load()
SHORTEST = 8
"""letters of a word that is broken"""


@pytest.mark.parametrize(
    ("parted", "whole"),
    [
        ("Kalzi-\nnose am Knie", "Kalzinose am Knie"),
        ("Kalzi- \n   nose am Knie", "Kalzinose am Knie"),
        ("Kalzi-\r\nnose am Knie", "Kalzinose am Knie"),
        ("Kalzi\u00ad\nnose am Knie", "Kalzinose am Knie"),
        ("Kalzi\u00ac\nnose am Knie", "Kalzinose am Knie"),
        ("Kalzi\u2010\nnose am Knie", "Kalzinose am Knie"),
        ("<p>Kalzi-<br/>nose am Knie</p>", "Kalzinose am Knie"),
        ("{\\rtf1 Kalzi-\\line nose am Knie}", "Kalzinose am Knie"),
        ("Weichteil-\nverkalkungen am Ellenbogen", "Weichteilverkalkungen am Ellenbogen"),
        ("Hard nodu-\nles on both elbows, cal-\ncium 9.3 mg/dL", "Hard nodules on both elbows, calcium 9.3 mg/dL"),
        ("Calci-\nnosi", "Calcinosi"),
        ("intra-\narticular calcification of the knee", "intra-articular calcification of the knee"),
        ("X-\nray: soft-\ntissue calcification at the elbow", "X-ray: soft-tissue calcification at the elbow"),
        ("Hard non-\ntender nodules on the elbows", "Hard non-tender nodules on the elbows"),
        ("Non-\ncalcified nodules on the left knee", "Non-calcified nodules on the left knee"),
        ("anti-\nSm positive", "anti-Sm positive"),
        ("anti-Jo-\n1 positive", "anti-Jo-1 positive"),
        (
            "No evidence of inter-\nstitial lung disease or soft tissue calcification",
            "No evidence of interstitial lung disease or soft tissue calcification",
        ),
    ],
)
def test_a_parted_word_is_read(parted: str, whole: str) -> None:
    assert got(ENGINE.read(parted)) == got(ENGINE.read(whole))


@pytest.mark.parametrize(
    ("lines", "apart"),
    [
        ("Knoten an Knie-\nund Ellenbogen", "Knoten an Knie und Ellenbogen"),
        ("RF-\nanti-dsDNA+", "RF -\nanti-dsDNA+"),
        ("CRP-\nANA+", "CRP -\nANA+"),
        ("ANA-\nRF+", "ANA -\nRF+"),
        ("- no nodules-\n- hard lump", "- no nodules\n- hard lump"),
        ("Calcium 8.5-\n10.2 mg/dL", "Calcium 8.5 -\n10.2 mg/dL"),
        ("Nodules-\nRash on the elbow", "Nodules -\nRash on the elbow"),
    ],
)
def test_what_is_no_word_stays_as_it_is_written(lines: str, apart: str) -> None:
    assert got(ENGINE.read(lines)) == got(ENGINE.read(apart))


def broken_phrases() -> Iterator[tuple[str, str, str]]:
    for phrase in labelled():
        for word in phrase.text.split():
            if len(word) >= SHORTEST and word.isalpha():
                at = len(word) // 2
                yield phrase.language, phrase.text, phrase.text.replace(word, f"{word[:at]}-\n{word[at:]}", 1)


def test_long_words_of_the_labelled_phrases() -> None:
    every = list(broken_phrases())
    other = [
        parted
        for language, whole, parted in every
        if got(ENGINE.read(parted, language=language)) != got(ENGINE.read(whole, language=language))
    ]
    assert len(every) > 500
    assert not other, (len(other), len(every), other[:20])


def test_quotes_hold_the_word() -> None:
    (lesion,) = ENGINE.read("Seit Mai harte Kno-\nten am Knie.").lesions
    assert "Knoten" in lesion.text
    assert "\n" not in lesion.text
