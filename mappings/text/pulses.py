"""The pulse in a row of vital signs: "P 46 reg, BP 118/70", where the letter is that of phosphate too."""

from __future__ import annotations

from collections.abc import Callable

from mappings.text.document import Document
from mappings.text.figures import Number
from mappings.text.schema import load_common
from mappings.text.vocabulary import Hit

_PHOSPHATE, _RATE = "phosphate", "heart-rate"


def told_apart(document: Document, analytes: list[Hit], number: Callable[[Hit], Number | None]) -> list[Hit]:
    """The tests of a sentence, a letter with the number of a pulse behind it as the heart rate."""
    return [_rate(hit) if _is_pulse(document, hit, number) else hit for hit in analytes]


def _rate(hit: Hit) -> Hit:
    return Hit(hit.category, _RATE, hit.first, hit.last)


def _is_pulse(document: Document, hit: Hit, number: Callable[[Hit], Number | None]) -> bool:
    known = load_common().pulse
    if hit.value != _PHOSPHATE or hit.last - hit.first > 1 or document.word(hit.first) not in known.letters:
        return False
    told = number(hit)
    if told is None or not told[0].isdigit() or told[3] is not None:
        return False
    return int(told[0]) >= known.least and (told[2] is None or told[2].lower() in known.units)
