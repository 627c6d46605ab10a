"""The text engine for the time of one chart: a title that stands a hundred times in it is read once.

Readings are kept for one chart only, never across patients, and let go of with its request. What stays is which texts
said nothing, and what short titles name, under digests that can't be read back (`silence.py`, `titles.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mappings.facts import Site
from mappings.reader.silence import Silence
from mappings.reader.titles import Titles
from mappings.text.reading import TextReading, TimeSpan

if TYPE_CHECKING:
    from mappings.text.hyphens import Places
from mappings.text.engine import Kind, TextEngine

_LONGEST = 300
"""longer texts are notes, which do not repeat."""


EMPTY = TextReading("en")
"""what a text gives that says nothing."""


class ChartText:
    """Same answers as the engine. `spoken` counts the texts read in which any word could matter."""

    def __init__(self, engine: TextEngine, silence: Silence, titles: Titles) -> None:
        self._engine, self._silence, self._titles = engine, silence, titles
        self._readings: dict[tuple[str, Kind], TextReading] = {}
        self._sites: dict[str, tuple[Site, ...]] = {}
        self._workup: dict[str, frozenset[str]] = {}
        self._words: dict[str, bool] = {}
        self.spoken = 0

    def read(self, text: str, *, kind: Kind = "note") -> TextReading:
        if len(text) > _LONGEST:
            self.spoken += 1
            return self._engine.read(text, kind=kind)
        key = (text, kind)
        found = self._readings.get(key)
        if found is None:
            found = self._readings[key] = self._read(text, kind)
        self.spoken += found is not EMPTY or not self._says_nothing(text)
        return found

    def _read(self, text: str, kind: Kind) -> TextReading:
        digest = self._silence.of_text(b"read" + kind.encode(), text)
        if digest in self._silence:
            return EMPTY
        known = self._titles.reading(digest, text)
        if known is not None:
            return known
        found = self._engine.read(text, kind=kind)
        if is_empty(found):
            self._silence.add(digest)
            return EMPTY
        if kind != "note":
            self._titles.keep_reading(digest, text, found)
        return found

    def sites(self, text: str) -> tuple[Site, ...]:
        found = self._sites.get(text)
        if found is None:
            digest = self._silence.of_text(b"sites", text)
            found = () if digest in self._silence else self._titles.sites.get(digest)
            if found is None:
                found = self._engine.sites(text)
                if found:
                    self._titles.sites.keep_short(digest, text, found)
                else:
                    self._silence.add(digest)
            self._sites[text] = found
        return found

    def workup(self, text: str) -> frozenset[str]:
        found = self._workup.get(text)
        if found is None:
            digest = self._silence.of_text(b"workup", text)
            found = _NOTHING if digest in self._silence else self._titles.workup.get(digest)
            if found is None:
                found = self._engine.workup(text)
                if found:
                    self._titles.workup.keep_short(digest, text, found)
                else:
                    self._silence.add(digest)
            self._workup[text] = found
        return found

    def onset(self, text: str) -> TimeSpan | None:
        return self._engine.onset(text)

    def unbroken(self, text: str, names: Places) -> str:
        return self._engine.unbroken(text, names)

    def of_another_organ(self, text: str) -> bool:
        return self._engine.of_another_organ(text)

    def _says_nothing(self, text: str) -> bool:
        """No word of ours is in it, whichever numbers are."""
        known = self._words.get(text)
        if known is None:
            digest = self._silence.of_text(b"words", text)
            known = digest in self._silence or not self._engine.speaks(text)
            if known:
                self._silence.add(digest)
            self._words[text] = known
        return known


def is_empty(reading: TextReading) -> bool:
    """Whether nothing was read, and nothing was there that could not be."""
    return reading.understood and not (
        reading.lesions or reading.concepts or reading.labs or reading.imaging or reading.biopsies or reading.tolerances
    )


_NOTHING: frozenset[str] = frozenset()
