"""Histopathology: does a text show calcium in skin or subcutis, none, or something else (rule 2.7)?"""

from __future__ import annotations

from mappings.facts import BiopsyFinding
from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.reading import BiopsyMention, Status
from mappings.text.sites import sites
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit

_SUPPORT = ("affirmed", "possible")
_STAIN_REACH = 4
_VESSEL_REACH = 9


def report(document: Document, sentences: list[Sentence]) -> BiopsyMention | None:
    """One mention for the sentences of one report; None when it speaks neither of calcium nor of a known mimic, or
    of another organ."""
    shown: list[Status] = []
    denied = vessels = False
    other: set[str] = set()
    tissue = organ = pending = False
    first_word, last_word = sentences[0].first, sentences[-1].last
    for sentence in sentences:
        tissue = tissue or bool(document.within("tissue", sentence))
        organ = organ or bool(document.within("organ", sentence))
        pending = pending or any(document.status(h) == "affirmed" for h in document.within("pending", sentence))
        for hit in document.within("p-calcium", sentence):
            status = document.status(hit)
            if status in _SUPPORT and _of_another(document, hit, sentence):
                vessels = True
            elif status in _SUPPORT:
                shown.append(status)
            elif status == "negated":
                denied = True
        for hit in document.within("stain", sentence):
            word = _stain_word(document, hit, sentence)
            if word == "positive":
                shown.append("affirmed")
            elif word == "negative":
                denied = True
        for hit in document.within("p-other", sentence):
            if document.status(hit) in _SUPPORT:
                other.add(hit.value)
    if organ and not tissue:
        return None
    if not (shown or denied or other or vessels):
        return None
    finding: BiopsyFinding = "calcium" if shown else "no-calcium" if denied and not vessels else "not-understood"
    said: Status = "possible" if shown and "affirmed" not in shown else "affirmed"
    return BiopsyMention(
        finding,
        document.text(first_word, last_word),
        sites=sites(document, first_word, last_word),
        other=frozenset(other),
        status=said,
    )


def _of_another(document: Document, hit: Hit, sentence: Sentence) -> bool:
    """ "medial calcification of small vessels" and "pilomatricoma with calcification" are no deposit in the skin (rule
    2.7); a word of skin nearer by says that there is one."""
    first, last = max(sentence.first, hit.first - _VESSEL_REACH), min(sentence.last, hit.last + _VESSEL_REACH)

    def away(category: str, values: tuple[str, ...] | None = None) -> list[int]:
        near = [h for h in document.between(category, first, last) if document.status(h) != "negated"]
        return [
            max(hit.first - h.last + 1, h.first - hit.last + 1, 0) for h in near if values is None or h.value in values
        ]

    others = away("vascular") + away("p-other", load_common().calcifying)
    skin = away("tissue")
    return bool(others) and (not skin or min(others) < min(skin))


def _stain_word(document: Document, hit: Hit, sentence: Sentence) -> str | None:
    """ "von Kossa positive", "negative for von Kossa", "von Kossa stain highlighted black deposits"."""
    if document.status(hit) == "negated":
        return "negative"
    words = document.between("word", max(sentence.first, hit.first - _STAIN_REACH), hit.last + _STAIN_REACH)
    for word in words:
        if word.value in ("positive", "negative") and word.first < sentence.last:
            return word.value
    return None
