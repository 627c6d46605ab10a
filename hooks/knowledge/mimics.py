"""Schema of mimics.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import Field

from hooks.knowledge.base import FOLDER, Sourced, Strict, load


class Pointers(Strict):
    concepts: tuple[str, ...] = ()
    history: bool = False
    named: tuple[str, ...] = ()
    biopsy: tuple[str, ...] = ()
    high: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    lesion: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    imaging: tuple[str, ...] = ()
    state: tuple[str, ...] = ()


class Mimic(Sourced):
    id: str
    contract_id: str | None = None
    because: str
    test: str
    any: Pointers
    reasons: dict[str, str] = Field(default_factory=dict)
    first: bool = False
    first_when: tuple[str, ...] = ()


class Mimics(Strict):
    mimics: tuple[Mimic, ...]


@cache
def load_mimics(folder: Path = FOLDER) -> Mimics:
    return load("mimics.yaml", Mimics, folder=folder)
