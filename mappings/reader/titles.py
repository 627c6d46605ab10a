"""What short titles name, for the life of the process: thousands of Conditions are called "Dermatomyositis", as many
orders "X-ray left elbow".

As in `silence.py` and `names.py` no chart text outlives its request: a title is kept as a digest under a random key,
what it names in our own ids. Of readings only those are kept that name diagnoses, signs or states and say no more: no
lesion, number or date, and no note."""

from __future__ import annotations

from typing import TypeVar

from mappings.facts import Site
from mappings.reader.digests import ByDigest
from mappings.text.reading import ConceptMention, Status, TextReading

_MOST = 8192
_LONGEST = 80

_Named = tuple[str, Status, int, int, tuple[Site, ...]]
"""concept, what is said of it, where in the title, sites."""
_M = TypeVar("_M")


class Meanings(ByDigest[_M]):
    """Meanings of short titles."""

    def keep_short(self, digest: bytes, title: str, meaning: _M) -> None:
        """Keeps the meaning of a title that is short enough to stand in many charts."""
        if len(title) <= _LONGEST:
            self.keep(digest, meaning)


class Titles:
    """What titles were found to name: what they say, the investigations, the places of the body."""

    def __init__(self, most: int = _MOST) -> None:
        self.readings: Meanings[tuple[str, bool, tuple[_Named, ...]]] = Meanings(most)
        self.workup: Meanings[frozenset[str]] = Meanings(most)
        self.sites: Meanings[tuple[Site, ...]] = Meanings(most)

    def reading(self, digest: bytes, title: str) -> TextReading | None:
        """The reading of this title, its words put in again."""
        known = self.readings.get(digest)
        return None if known is None else _filled(*known, title)

    def keep_reading(self, digest: bytes, title: str, reading: TextReading) -> None:
        """Keeps what the title names, if that is all it says."""
        named = tuple((m.concept, m.status, m.start, m.end, m.sites) for m in reading.concepts)
        if _filled(reading.language, reading.understood, named, title) == reading:
            self.readings.keep_short(digest, title, (reading.language, reading.understood, named))


def _filled(language: str, understood: bool, named: tuple[_Named, ...], title: str) -> TextReading:
    return TextReading(
        language,
        concepts=tuple(
            ConceptMention(concept, status, " ".join(title[start:end].split()), start, end, sites=sites)
            for concept, status, start, end, sites in named
        ),
        understood=understood,
    )
