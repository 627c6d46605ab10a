"""Entries of the chart with restricted access (`meta.security`): they count, but nothing of them is told.

`without_restricted` is for pages and texts that show an assessment as it is; cards are written with the same rule."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TypeVar

from msgspec.structs import replace

from hooks.knowledge import Knowledge
from hooks.model import (
    Assessment,
    Criteria,
    CtdCriterion,
    Differential,
    KidneyCriterion,
    LabCriterion,
    LesionCriterion,
    RedFlag,
    ReportCriterion,
    TherapyItem,
    WorkupItem,
)
from mappings.facts import Finding, Lesion, PatientFacts

Reasoned = TypeVar("Reasoned", Differential, WorkupItem, TherapyItem)


def restricted(facts: PatientFacts) -> frozenset[str]:
    """References of the restricted entries."""
    entries: Iterable[Finding | Lesion] = chain(facts.findings, facts.lesions)
    return facts.restricted | {entry.ref for entry in entries if entry.confidential}


def without_restricted(assessment: Assessment, facts: PatientFacts, knowledge: Knowledge) -> Assessment:
    """The same verdict; each sentence that rests on a restricted entry is replaced by one that says so. Its notes rest
    on none."""
    kept = restricted(facts)
    if not kept:
        return assessment
    return _Telling(kept, knowledge).told(assessment)


class _Telling:
    def __init__(self, kept: frozenset[str], knowledge: Knowledge) -> None:
        self._kept, self._instead = kept, knowledge.cards.say("hidden_reason")

    def told(self, found: Assessment) -> Assessment:
        return replace(
            found,
            criteria=self._criteria(found.criteria),
            red_flags=tuple(map(self._flag, found.red_flags)),
            differential=tuple(map(self._reasoned, found.differential)),
            workup=tuple(map(self._reasoned, found.workup)),
            therapies=tuple(replace(item, notes=self._notes(item)) for item in map(self._reasoned, found.therapies)),
        )

    def _rests(self, evidence: Iterable[str]) -> bool:
        return not self._kept.isdisjoint(evidence)

    def _criteria(self, found: Criteria) -> Criteria:
        changed = {}
        for name in Criteria.__struct_fields__:
            criterion = getattr(found, name)
            if not self._rests(criterion.evidence):
                continue
            changed[name] = replace(criterion, because=self._instead)
            if isinstance(criterion, CtdCriterion):
                changed[name] = replace(changed[name], diagnoses=())
            elif isinstance(criterion, LesionCriterion):
                changed[name] = replace(changed[name], sites=(), body_sites=())
            elif isinstance(criterion, LabCriterion):
                changed[name] = replace(changed[name], value=None, low=None, high=None, date=None)
            elif isinstance(criterion, KidneyCriterion):
                changed[name] = replace(changed[name], egfr=None, comparator=None, date=None)
            elif isinstance(criterion, ReportCriterion):
                changed[name] = replace(changed[name], date=None, sites=())
        return replace(found, **changed)

    def _flag(self, flag: RedFlag) -> RedFlag:
        return replace(flag, text=self._instead) if self._rests(flag.evidence) else flag

    def _reasoned(self, item: Reasoned) -> Reasoned:
        return replace(item, because=self._instead) if self._rests(item.evidence) else item

    def _notes(self, item: TherapyItem) -> tuple[str, ...]:
        return () if self._rests(item.evidence) else item.notes
