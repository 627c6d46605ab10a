"""`cds-service check-knowledge`: every file loads, and everything that is cited or named exists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from cds_service.errors import SettingsError
from cds_service.state import read_overlay
from hooks.dialects import load_dialects
from hooks.knowledge import Knowledge, load_knowledge
from hooks.knowledge.base import KnowledgeError, Sourced
from hooks.knowledge.card_schema import load_override_reasons
from mappings.codelists import Terminology, load_terminology
from mappings.codetypes import CodelistError
from mappings.drugs import load_drugs
from mappings.text.engine import TextEngine


def problems(overlay: Path | None = None) -> Iterator[str]:
    """One line for each thing that is wrong: file, key, what. Nothing when all is well."""
    try:
        terminology = load_terminology(read_overlay(overlay))
    except (CodelistError, SettingsError) as error:
        yield from (str(error),)
        terminology = load_terminology()
    try:
        load_drugs()
        TextEngine.load()
        knowledge = load_knowledge()
        load_dialects()
        load_override_reasons()
    except (KnowledgeError, CodelistError, ValueError) as error:
        yield str(error)
        return
    yield from _citations(knowledge)
    yield from _concepts(knowledge, terminology)
    yield from _unverified(knowledge)


def _citations(knowledge: Knowledge) -> Iterator[str]:
    for where, entry in _entries(knowledge):
        for key in getattr(entry, "sources", ()):
            if key not in knowledge.evidence:
                yield f"{where}: source {key} is not in evidence.yaml"
        if isinstance(entry, Sourced) and entry.basis == "source" and not entry.sources:
            yield f"{where}: basis is source, but no source is named"


def _concepts(knowledge: Knowledge, terminology: Terminology) -> Iterator[str]:
    """Concepts of the diagnoses must have a code list; others may be known from text alone."""
    for diagnosis in knowledge.criteria.ctd.diagnoses:
        for concept in diagnosis.concepts:
            if concept not in terminology.known_concepts:
                yield f"criteria.yaml: ctd.diagnoses.{diagnosis.id}: concept {concept} has no code list"
    for workup in knowledge.orderables.orders if hasattr(knowledge.orderables, "orders") else ():
        if not isinstance(workup, str):
            yield f"orderables.yaml: {workup!r} is no id"


def _unverified(knowledge: Knowledge) -> Iterator[str]:
    """An unverified rule acts in the cautious direction only: it may block, ask, warn or cap, never offer."""
    for rule in knowledge.safety.rules:
        if rule.basis == "unverified" and rule.action not in ("block", "need", "warn", "cap", "none"):
            yield f"safety: {rule.id}: unverified, but its action is {rule.action}"


def _entries(value: Any, where: str = "knowledge") -> Iterable[tuple[str, Any]]:
    if isinstance(value, BaseModel):
        yield where, value
        for name in type(value).model_fields:
            yield from _entries(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _entries(item, f"{where}.{key}")
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from _entries(item, f"{where}[{getattr(item, 'id', index)}]")
    elif hasattr(value, "__slots__") and hasattr(value, "criteria"):
        for name in ("criteria", "messages", "red_flags", "mimics", "therapies", "safety", "workup"):
            yield from _entries(getattr(value, name), name)
