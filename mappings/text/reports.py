"""Reports inside a note: from the word "X-ray" or "biopsy" on, as far as they go."""

from __future__ import annotations

from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit

_HEADING = 4
"""words of a heading, its colon among them"""
_SEEN = 5
"""words between what was seen and "on X-ray"."""


def clusters(document: Document, category: str) -> list[list[Sentence]]:
    """From the word "X-ray" or "biopsy" to the end of its sentence, and the sentences that go on about it."""
    out: list[list[Sentence]] = []
    goes_on = ("calcification", "positive", "clear") if category == "modality" else ("p-calcium", "stain", "p-other")
    reach = 0
    for sentence in document.sentences:
        first = _begins(document, sentence, category)
        if first is not None:
            out.append([Sentence(first, sentence.last, sentence.paragraph)])
            reach = sentence.last
        elif out and sentence.first <= reach + 1 and _of_report(document, out[-1][0], sentence):
            reach = sentence.last
        if first is None and out and sentence.first <= reach + 1 and sentence.paragraph == out[-1][-1].paragraph:
            more = any(document.within(c, sentence) for c in goes_on)
            heads = [h for h in document.within("lesion", sentence) if h.value not in ("calcification", "calcinosis")]
            if more and not heads and not _felt(document, sentence):
                out[-1].append(sentence)
                reach = sentence.last
    return out


def _of_report(document: Document, report: Sentence, sentence: Sentence) -> bool:
    """ "HRCT 05/12: stable reticulation. Oesophagus patulous. Calcification of the subcutaneous fat.": what follows in
    the line that the image heads, up to another heading, a lesion, a test, a drug or a word for today."""
    heads = document.begins_line(document.sentence_of(report.first))
    named = ":" in document.words.words[report.first : report.first + 2 * _HEADING]
    if not (heads and named) or document.begins_line(sentence) or report.paragraph != sentence.paragraph:
        return False
    others = ("lesion", "analyte", "drug", "now", "asking", "tender")
    found = [h for c in others for h in document.within(c, sentence) if h.value not in ("calcification", "calcinosis")]
    return not found and not any(h.first == sentence.first for h in document.within("heading", sentence))


def _felt(document: Document, sentence: Sentence) -> bool:
    """Whether a sentence tells what was felt: "Exam: calcinosis of the fingertips", "hard calcinosis of the elbows"."""
    words = document.words.words[sentence.first : sentence.first + _HEADING]
    hard = [hit for hit in document.within("hardness", sentence) if hit.value == "definite"]
    if any(not document.between("calcification", hit.first, hit.first + 1) for hit in hard):
        return True
    return any(" ".join(words[:count]) in load_common().bedside for count in range(1, _HEADING))


def _begins(document: Document, sentence: Sentence, category: str) -> int | None:
    """The word at which a report begins in a sentence; None for one that was not made."""
    if category == "modality" and _only_ordered(document, sentence):
        return None
    for hit in document.within(category, sentence):
        made = document.status(hit) in ("affirmed", "historical")
        first = _reported(document, sentence, hit) if category == "modality" else hit.first
        if made or (first < hit.first and document.status(hit) == "negated"):
            return first
    return None


def _only_ordered(document: Document, sentence: Sentence) -> bool:
    """ "Order X-ray of both hands. Calcinosis of the fingers.": no film has shown anything yet."""
    if any(document.within(c, sentence) for c in ("calcification", "positive", "clear")):
        return False
    asked = [hit for c in ("ordered", "pending") for hit in document.within(c, sentence)]
    return any(document.status(hit) != "negated" for hit in asked)


def _reported(document: Document, sentence: Sentence, named: Hit) -> int:
    """Where a report begins: at "X-ray", or at what was seen when that comes first ("no calcification on X-ray")."""
    before = named.first - 1
    if before > sentence.first and document.word(before) in document.vocab.articles:
        before -= 1
    if not any(h.first <= before < h.last for h in document.between("preposition", before - 1, before + 1)):
        return named.first
    seen = [
        h.first
        for category in ("calcification", "positive", "clear")
        for h in document.between(category, max(sentence.first, named.first - _SEEN), named.first)
    ]
    return min(seen, default=named.first)
