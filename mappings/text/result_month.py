"""The month, without its year, in which a test was done: "calcium 9.4 mg/dL in November", "November labs: Ca 9.4". It
is the last such month before the note; taken as a result of the note's own day, an old value would be one of today."""

from __future__ import annotations

from mappings.text.document import Document
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit

_APART = 7
_OPENING = 2
_OTHERS = ("lesion", "named", "concept", "drug", "analyte", "since", "onset", "workup", "now", "repeated")


def month_of(document: Document, sentence: Sentence, group: list[Hit], end: int) -> str | None:
    """ "11" of "in November", right behind the result or at the opening of the sentence."""
    for hit in document.between("month", group[-1].last, end):
        if is_month(document, hit) and not _parted(document, group[-1].last, hit.first):
            return f"{int(hit.value):02d}"
    for hit in document.between("month", sentence.first, min(sentence.first + _OPENING + 1, group[0].first)):
        opening = _parted(document, sentence.first, hit.first)  # "nodules since January, calcium 9.4"
        if is_month(document, hit) and not opening and not _parted(document, hit.last, group[0].first, "analyte"):
            return f"{int(hit.value):02d}"
    return None


def is_month(document: Document, hit: Hit) -> bool:
    """A month and no other word ("may", "march"), without a year or a day that makes it a date of its own, and no
    month to come ("repeat in June")."""
    if is_other_word(document, hit):
        return False
    return not any(document.word(hit.last + i)[:4].isdigit() for i in (0, 1))


def is_other_word(document: Document, hit: Hit) -> bool:
    """Whether the name of a month is another word where it stands: "may" in small letters, unless none of the note is
    written otherwise and the word before it tells."""
    small = document.words.text[document.words.starts[hit.first]].islower()
    if not small or document.word(hit.first) not in document.vocab.capital:
        return False
    return not (document.words.is_small() and document.word(hit.first - 1) in document.vocab.capital_behind)


def _parted(document: Document, first: int, last: int, but: str = "") -> bool:
    """Whether something else stands between, or another clause begins: the month is then another matter's."""
    apart = sum(document.word(i).isalpha() for i in range(first, last)) > _APART
    return apart or any(document.between(c, first, last) for c in _OTHERS if c != but)
