"""Schema of mimics.yaml."""

from collections.abc import Mapping
from functools import cache, cached_property
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


class FindingGroup(Strict):
    """A finding with any of the concepts."""

    concepts: tuple[str, ...]


class Mimics(Strict):
    states: dict[str, tuple[FindingGroup, ...]]
    """judgements that pointers name, each with findings that have to be there together."""
    mimics: tuple[Mimic, ...]

    @cached_property
    def pointed(self) -> Mapping[tuple[str, str], frozenset[int]]:
        """(kind of pointer, what it points to) → the places in `mimics` of those that have it: most point to nothing
        that a lesion, a red flag or a judgement says, and need not be asked one by one."""
        found: dict[tuple[str, str], frozenset[int]] = {}
        for place, mimic in enumerate(self.mimics):
            for kind in ("named", "places", "lesion", "flags", "state"):
                for name in getattr(mimic.any, kind):
                    found[kind, name] = found.get((kind, name), frozenset()) | {place}
        return found

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """Of a lesion that any of them points to."""
        return tuple(name for kind, name in self.pointed if kind == "lesion")


@cache
def load_mimics(folder: Path = FOLDER) -> Mimics:
    return load("mimics.yaml", Mimics, folder=folder)
