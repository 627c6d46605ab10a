"""The calcium of a blood gas: an analyser for blood gases measures ionized calcium, by whatever name the line has it
("Gasometria: pH 7,38, Ca++ 1,21 mmol/L"). Read as a total one, a normal value would be critically low."""

from __future__ import annotations

from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.figures import Number
from mappings.text.times import amount
from mappings.text.vocabulary import Hit

_TOTAL, _IONIZED = "calcium-total", "calcium-ionized"


def analyte_of(document: Document, hit: Hit, number: Number | None) -> str:
    """The test that a name with its number stands for."""
    if hit.value != _TOTAL or number is None or hit.last - hit.first > 1 + _signs(document, hit):
        return hit.value
    value, sentence = amount(number[0]), document.sentence_of(hit.first)
    headed = any(gas.last <= hit.first for gas in document.within("blood-gas", sentence))
    in_mmol = number[2] is None or number[2].lower().startswith("mmol")
    small = value is not None and value < load_common().ionized_below and in_mmol
    return _IONIZED if headed and small else hit.value


def _signs(document: Document, hit: Hit) -> int:
    """The signs of "Ca++", which are no words."""
    return sum(not document.word(i).isalpha() for i in range(hit.first, hit.last))
