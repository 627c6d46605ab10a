"""The text engine for the time of one chart: a title that stands a hundred times in it is read once.

Kept for one chart only, never across patients: chart text must not outlive its request."""

from __future__ import annotations

from mappings.facts import Site
from mappings.text.engine import Kind, TextEngine
from mappings.text.reading import TextReading, TimeSpan

_LONGEST = 300
"""longer texts are notes, which do not repeat."""


class ChartText:
    """Same answers as the engine."""

    def __init__(self, engine: TextEngine) -> None:
        self._engine = engine
        self._readings: dict[tuple[str, Kind], TextReading] = {}
        self._sites: dict[str, tuple[Site, ...]] = {}
        self._workup: dict[str, frozenset[str]] = {}

    def read(self, text: str, *, kind: Kind = "note") -> TextReading:
        if len(text) > _LONGEST:
            return self._engine.read(text, kind=kind)
        key = (text, kind)
        found = self._readings.get(key)
        if found is None:
            found = self._readings[key] = self._engine.read(text, kind=kind)
        return found

    def sites(self, text: str) -> tuple[Site, ...]:
        found = self._sites.get(text)
        if found is None:
            found = self._sites[text] = self._engine.sites(text)
        return found

    def workup(self, text: str) -> frozenset[str]:
        found = self._workup.get(text)
        if found is None:
            found = self._workup[text] = self._engine.workup(text)
        return found

    def onset(self, text: str) -> TimeSpan | None:
        return self._engine.onset(text)
