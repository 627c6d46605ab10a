"""How sure a coded diagnosis is, where the coding itself says so (the German certainty of ICD-10-GM codes), and whose
it is, where its category does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from mappings.data_schema import Certainty, Coded, read_table
from mappings.reader.access import categories, items, mapping

_ORDER: tuple[Coded, ...] = ("excluded", "suspected", "past", "confirmed")


def certainty_of(code: object) -> Coded | None:
    """What the extensions of a CodeableConcept's codings say, the least sure of several; None when they say nothing."""
    known = _extensions()
    said = [
        known.get(str(mapping(extension).get("url")), {}).get(_letter(mapping(extension)))
        for coding in items(mapping(code).get("coding"))
        for extension in items(mapping(coding).get("extension"))
    ]
    found = [meaning for meaning in said if meaning is not None]
    return min(found, key=_ORDER.index) if found else None


def is_of_relatives(condition: Mapping[str, Any]) -> bool:
    """Whether the categories of a Condition say that it is what a relative has."""
    return any(word.replace("-", " ") in _of_relatives() for word in categories(condition))


def _letter(extension: Mapping[str, object]) -> str:
    value = mapping(extension.get("valueCoding")).get("code", extension.get("valueCode"))
    return value.strip().upper() if isinstance(value, str) else ""


@cache
def _of_relatives() -> frozenset[str]:
    return frozenset(read_table(Certainty).of_relatives)


@cache
def _extensions() -> Mapping[str, Mapping[str, Coded]]:
    return {url: entry.codes for entry in read_table(Certainty).extensions for url in entry.urls}
