"""What an assessment (the contract's JSON) says about the matter of an answer: facts of the patient, apart from the
literature. The assessment comes from outside: whatever has not the expected shape is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from mappings.raw import as_list

_MOST, _LONGEST, _ABBREVIATION = 12, 600, 3


class PatientFact(Struct, frozen=True):
    """One sentence with the references of the resources behind it."""

    text: str
    evidence: tuple[str, ...] = ()


def patient_facts(assessment: Mapping[str, Any], selectors: tuple[str, ...]) -> tuple[PatientFact, ...]:
    """The facts that the selectors name ("criteria.calcium", "therapies.diltiazem", "missing"), each once."""
    found: dict[str, PatientFact] = {}
    for selector in selectors:
        for fact in _select(assessment, selector):
            found.setdefault(fact.text, fact)
    return tuple(found.values())[:_MOST]


def _select(assessment: Mapping[str, Any], selector: str) -> Iterator[PatientFact]:
    part, _, key = selector.partition(".")
    value = assessment.get(part)
    if part in ("grade", "subtype"):
        if isinstance(value, str):
            yield PatientFact(_cut(f"{part.capitalize()}: {value}"))
    elif part == "criteria":
        yield from _criterion(key, value)
    elif part == "missing":
        names = [name for name in as_list(value) if isinstance(name, str)]
        if names:
            yield PatientFact(_cut(f"Missing: {', '.join(names)}"))
    elif part == "completeness":
        yield from _completeness(value)
    elif part == "quarantined":
        for item in as_list(value):
            if isinstance(item, Mapping) and isinstance(item.get("reference"), str):
                yield PatientFact(
                    _cut(f"Left out: {item['reference']} ({item.get('reason', '')})"), (item["reference"],)
                )
    elif part in ("therapies", "workup", "differential", "redFlags"):
        yield from _items(part, key, value)


def _criterion(key: str, value: Any) -> Iterator[PatientFact]:
    item = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(item, Mapping) and isinstance(item.get("because"), str):
        name = key.upper() if len(key) <= _ABBREVIATION else key.capitalize()
        yield PatientFact(_cut(f"{name} ({item.get('status', 'unknown')}): {item['because']}"), _refs(item))


def _completeness(value: Any) -> Iterator[PatientFact]:
    for need, item in value.items() if isinstance(value, Mapping) else ():
        if isinstance(item, Mapping) and item.get("state") in ("partial", "unavailable"):
            yield PatientFact(_cut(f"Not wholly read: {need} ({item.get('reason', item['state'])})"))


def _items(part: str, key: str, value: Any) -> Iterator[PatientFact]:
    for item in as_list(value):
        if not isinstance(item, Mapping) or not isinstance(item.get("id"), str) or (key and item["id"] != key):
            continue
        reason = item.get("because", item.get("text"))
        if not isinstance(reason, str) or (not key and item.get("decision") in ("not-indicated", "already-done")):
            continue
        decision = f"{item['id']} ({item['decision']})" if isinstance(item.get("decision"), str) else item["id"]
        test = item.get("separatingTest")
        tail = f"; separating test: {test}" if isinstance(test, str) else ""
        yield PatientFact(_cut(f"{decision}: {reason}{tail}"), _refs(item))


def _refs(item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(r for r in as_list(item.get("evidence")) if isinstance(r, str))[:_MOST]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
