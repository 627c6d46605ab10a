"""A hardness that the same text takes back: "initially thought hard; on re-examination soft and mobile"."""

from __future__ import annotations

from mappings.text.document import Document
from mappings.text.draft import Draft

_DESCRIBING = ("lesion", "named", "hardness", "attribute", "pain", "tender", "anaphor", "also", "moment")


def take_back(document: Document, draft: Draft, first: int, last: int) -> int:
    """Where a word of correction stands that calls the lesion soft, else -1; what hardness was told before it is gone.
    Only an explicit word counts, with nothing but the lesion itself between it and "soft": deposits soften, too."""
    for mark in document.between("corrected", first, last):
        soft = next((h for h in document.between("hardness", mark.last, last) if h.value == "against"), None)
        if soft is None or document.status(soft) != "affirmed":
            continue
        if all(_small(document, index) for index in range(mark.last, soft.first)):
            draft.soften()
            return mark.first
    return -1


def _small(document: Document, index: int) -> bool:
    word = document.word(index)
    if not word[0].isalpha() or word in document.vocab.stopwords or word in document.vocab.articles:
        return True
    return any(h.first <= index < h.last for c in _DESCRIBING for h in document.between(c, index - 4, index + 1))
