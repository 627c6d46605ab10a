"""The pulse in a row of vital signs ("P 46 reg, BP 118/70", where the letter is that of phosphate too; "PR 46/min",
where the letters are those of an interval), and the rhythm of the heart with its rate ("ECG: sinus rhythm 46/min",
"bradycardic at 44")."""

from __future__ import annotations

from collections.abc import Callable

from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.figures import Number
from mappings.text.reading import LabMention
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit

_REACH = 7
"""words between a rhythm and its rate ("sinus rhythm with a ventricular rate of 46")."""
_ENDS = frozenset(".,;)]|-–\n")


def told_apart(document: Document, analytes: list[Hit], number: Callable[[Hit], Number | None]) -> list[Hit]:
    """The tests of a sentence, a letter with the number of a pulse behind it as the heart rate."""
    return [_rate(hit) if _is_pulse(document, hit, number) else hit for hit in analytes]


def _rate(hit: Hit) -> Hit:
    return Hit(hit.category, load_common().pulse.analyte, hit.first, hit.last)


def _is_pulse(document: Document, hit: Hit, number: Callable[[Hit], Number | None]) -> bool:
    known = load_common().pulse
    tested = hit.value in (known.instead_of, known.interval)
    if not tested or hit.last - hit.first > 1 or document.word(hit.first) not in known.letters:
        return False
    told = number(hit)
    if told is None or not told[0].isdigit() or told[3] is not None:
        return False
    if hit.value == known.interval and told[2] is None and int(told[0]) >= known.shortest:
        return False  # "PR 164, QRS 90"
    return int(told[0]) >= known.least and (told[2] is None or told[2].lower() in known.units)


def traced(document: Document, hit: Hit, end: int, date: str | None) -> LabMention | None:
    """ "ECG of 20 May: sinus rhythm 68/min": an ECG that is told by its rhythm was done."""
    shown = next((rhythm for rhythm in document.between("rhythm", hit.last, end) if not rhythm.value), None)
    if shown is None or document.contexts.of_patient(shown) != "affirmed":
        return None
    said = document.between("word", hit.last, shown.first)
    if any(word.value == "void" for word in said) or document.between("drug", hit.last, shown.first):
        return None
    text = document.text(hit.first, shown.last)
    status = document.contexts.of_patient(hit)
    return LabMention(load_common().pulse.tracing, status, text, word="positive", date_text=date)


def rates(document: Document, sentence: Sentence) -> list[tuple[Hit, Number]]:
    """The rates that a sentence tells behind a rhythm, or behind a pulse with words between ("pulse regular 46")."""
    rhythms = document.within("rhythm", sentence)
    pulses = [hit for hit in document.within("analyte", sentence) if hit.value == load_common().pulse.analyte]
    pulses = [hit for hit in pulses if document.word(hit.last).isalpha()]
    told = ((hit, _told(document, hit, sentence.last)) for hit in (*rhythms, *pulses))
    return [(_rate(hit), number) for hit, number in told if number is not None]


def _told(document: Document, hit: Hit, end: int) -> Number | None:
    known = load_common().pulse
    if hit.category == "rhythm" and document.between("drug", hit.first - 2, hit.first):
        return None  # a drug that is released slowly ("verapamil SR 120")
    for index in range(hit.last, min(end, hit.last + _REACH)):
        word = document.word(index)
        if word[:-1].isdigit():
            word = word.removesuffix("s")  # "down to the 30s"
        if word.isdigit():
            behind = _unit(document, index, end)
            return (word, None, "/min", None) if behind and known.least <= int(word) <= known.most else None
        if word not in known.links:
            return None
    return None


def _unit(document: Document, index: int, end: int) -> bool:
    """Whether what stands behind the number fits a rate: nothing, or beats per minute."""
    word, after = document.word(index + 1), document.word(index + 2)
    known = load_common().pulse
    if index + 1 >= end or word in _ENDS or word in known.units or word in known.after:
        return True
    ranges = after.isdigit() and word in load_common().numbers.limits  # "ranging 42 to 55": the lower end counts
    return ranges or (word == "/" and f"/{after}" in known.units)
