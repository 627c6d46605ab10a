"""Schema of mimics.yaml."""

from __future__ import annotations

from functools import cache

from pydantic import Field

from hooks.knowledge.base import Sourced, Strict, load


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
def load_mimics() -> Mimics:
    return load("mimics.yaml", Mimics)
