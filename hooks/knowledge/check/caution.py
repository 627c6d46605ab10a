"""Unverified knowledge acts in the cautious direction only: it may block, warn, ask or send elsewhere, never allow."""

from __future__ import annotations

from collections.abc import Iterator

from hooks.knowledge import Knowledge
from hooks.knowledge.base import KnowledgeError, Sourced
from hooks.knowledge.check.known import Known
from hooks.knowledge.criteria_schema import CriticalLimits, Diagnosis, ProductLimit
from hooks.knowledge.entries import entries
from hooks.knowledge.mimics import Mimic
from hooks.knowledge.red_flags import Flag
from hooks.knowledge.safety_schema import Condition, Rule

CAPPED_TIER = 3
"""the tier whose diagnoses are capped at possible: one may stand there unverified."""
_MAY_BE_UNVERIFIED = (Rule, Diagnosis, CriticalLimits, ProductLimit, Flag, Mimic)
"""Each of these can only hold back, warn or send elsewhere (no action of a rule allows anything). A range by which a
value is called normal, an option, a work-up or a sentence can't rest on memory."""


def incautious(knowledge: Knowledge, known: Known) -> Iterator[KnowledgeError]:
    for entry in entries(knowledge):
        value = entry.value
        if not isinstance(value, Sourced) or value.basis != "unverified":
            continue
        if not isinstance(value, _MAY_BE_UNVERIFIED):
            yield KnowledgeError(entry.file, entry.at("basis"), "an entry of this kind can't be unverified")
        elif isinstance(value, Diagnosis) and value.tier < CAPPED_TIER:
            yield KnowledgeError(entry.file, entry.at("tier"), "unverified, so it must stay in the capped tier")
    yield from _classes(knowledge, known)


def _classes(knowledge: Knowledge, known: Known) -> Iterator[KnowledgeError]:
    """A class with unconfirmed members must not make an option fit, nor be the exception that lifts a rule."""
    for rule in knowledge.safety.rules:
        where = knowledge.safety.files.get(rule.id, "safety")
        for name in _lifting(rule.when, lifts=False) & known.unsure_classes:
            yield KnowledgeError(where, f"rules.{rule.id}.when", f"{name}: an unconfirmed class can't lift a rule")
    for therapy in knowledge.therapies.therapies:
        for name in _lifting(therapy.fits, lifts=True) & known.unsure_classes:
            yield KnowledgeError(
                "therapies.yaml", f"therapies.{therapy.id}.fits", f"{name}: an unconfirmed class can't make it fit"
            )


def _lifting(condition: Condition, lifts: bool) -> frozenset[str]:
    """The drug classes whose presence makes the condition allow more."""
    found: frozenset[str] = frozenset()
    if lifts:
        found |= frozenset(condition.drug or ())
        found |= frozenset(condition.medication.any if condition.medication else ())
    for part in (*(condition.all or ()), *(condition.any or ())):
        found |= _lifting(part, lifts)
    if condition.not_ is not None:
        found |= _lifting(condition.not_, not lifts)
    return found
