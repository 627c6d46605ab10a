"""The reader of the service, and one that remembers nothing from one chart to the next."""

from __future__ import annotations

from typing import Any

from cds_service.pipeline import load_brain
from mappings.reader import ChartReader
from mappings.reader.names import Names
from mappings.reader.silence import Silence
from mappings.reader.titles import Meanings, Titles


class Nothing(Silence):
    """Remembers nothing: every resource is read the long way."""

    def add(self, digest: bytes) -> None:
        pass


class NoTitles(Titles):
    """Every title is read anew."""

    def __init__(self) -> None:
        self.readings = self.workup = self.sites = Meaningless(0)


class Meaningless(Meanings[Any]):
    def keep(self, digest: bytes, meaning: Any) -> None:
        pass


class NoNames(Names[Any]):
    """Every name and prescription is read anew."""

    def keep(self, digest: bytes, meaning: Any) -> None:
        pass


def brain_reader() -> ChartReader:
    found = load_brain().reader
    return ChartReader(found._terminology, found._drugs, found._text)


def forgetful() -> ChartReader:
    reader = brain_reader()
    reader._silence, reader._titles = Nothing(), NoTitles()
    reader._names, reader._doses = NoNames(), NoNames()
    return reader
