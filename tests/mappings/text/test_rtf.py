"""RTF as words: documents, pieces of documents, and what is no RTF at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.text.rtf import is_rtf, without_rtf


@pytest.mark.parametrize(
    ("rtf", "words"),
    [
        (r"{\rtf1\ansi No hard nodules.\par New plaque.}", "No hard nodules.\nNew plaque."),
        (r"{\rtf1{\fonttbl{\f0 Arial;}}{\*\generator Word 16;}\f0\b Hard\b0  lump}", "Hard lump"),
        (r"{\rtf1{\header {\b Page} of the ward}Hard lump{\footer printed}}", "Hard lump"),
        (r"{\rtf1 b\'f6sartig, \u945?-Fetoprotein, 50\~%, x\_ray}", "bösartig, α-Fetoprotein, 50 %, x-ray"),
        (r"{\rtf1 Calcium\cell 9.4\cell\row Phosphate\cell 3.4\row}", "Calcium | 9.4 | \nPhosphate | 3.4\n"),
        (r"{\rtf1 a \{b\} c\\d}", r"a {b} c\d"),
        (r"\par Hard nodule\tab left {elbow}", "\nHard nodule left {elbow}"),
        (r"Calcium 9.4 mg\dL", "Calcium 9.4 mg"),
    ],
)
def test_words(rtf: str, words: str) -> None:
    assert without_rtf(rtf) == words


def test_a_document_is_told_by_its_beginning() -> None:
    assert is_rtf("  {\\rtf1 a}")
    assert not is_rtf("see {\\rtf1 a}")


@given(st.lists(st.sampled_from(["{", "}", "{\\rtf1 ", "\\par ", "\\*", "\\pict", "\\'zz", "\\u945 ", "\\", "a\n"])))
def test_nothing_raises_and_nothing_is_invented(parts: list[str]) -> None:
    assert set(without_rtf("".join(parts))) <= set("".join(parts)) | {"\n", " ", "-", "|"} | {"α"}
