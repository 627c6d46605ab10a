"""Cultures of a wound: which test is one by its name, and whether what it says is growth.

Laboratories name them by material and place ("Cultivo de exudado de úlcera", "Wundabstrich Ellenbogen rechts") and
report the organism, not the word "positive"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Literal

from msgspec import Struct

from mappings.reader.analyte import observation_words
from mappings.units import plain

ANALYTE = "wound-culture"
_CLAUSE = re.compile(r"[.;,\n]")


class _Cultures(Struct, frozen=True):
    methods: frozenset[str]
    organisms: frozenset[str]
    materials: frozenset[str]
    whole: tuple[str, ...]
    others: frozenset[str]
    growth: tuple[str, ...]
    none: tuple[str, ...]


def is_wound_culture(names: Iterable[str]) -> bool:
    """Whether a test's name says that a wound, an ulcer or what comes out of it was cultured."""
    known = _cultures()
    for name in names:
        words = plain(name).split()
        if known.others.isdisjoint(words) and (
            any(word.startswith(known.whole) for word in words)
            or not (known.methods.isdisjoint(words) or known.materials.isdisjoint(words))
        ):
            return True
    return False


def is_culture_of_wound(names: Iterable[str], specimens: Iterable[str]) -> bool:
    """Whether what grew is asked for, and the specimen says that it is of a wound ("Bacteria identified")."""
    known = _cultures()
    asked = any(not (known.methods | known.organisms).isdisjoint(plain(name).split()) for name in names)
    return asked and is_wound_culture(f"culture {specimen}" for specimen in specimens)


def culture_word(said: str) -> Literal["positive", "negative"] | None:
    """Growth or none, by the organism or the words of the result; None when it says neither."""
    known = _cultures()
    found = set()
    for clause in _CLAUSE.split(said):
        padded = f" {plain(clause)} "
        if any(f" {phrase}" in padded for phrase in known.none):
            found.add("negative")
        elif any(f" {phrase}" in padded for phrase in known.growth):
            return "positive"
    return "negative" if found else None


@cache
def _cultures() -> _Cultures:
    data = observation_words().cultures
    return _Cultures(
        frozenset(data.methods),
        frozenset(data.organisms),
        frozenset(data.materials),
        data.whole,
        frozenset(data.others),
        data.growth,
        data.none,
    )
