"""Questions that rules ask of a patient's facts, on a given day.

A fact that lies wholly after the day is not seen at all (so a back-test on an earlier day can't be changed by later
data). Every answer keeps the facts behind it, so that a rule can cite them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from typing import Protocol, TypeVar

from mappings.dates import PartialDate, years_between
from mappings.facts import Finding, Medication, PatientFacts, Result


class Chart:
    """`facts` as they were knowable on `as_of`."""

    def __init__(self, facts: PatientFacts, as_of: date) -> None:
        self.as_of = as_of
        self.facts = _known_on(facts, as_of)

    @cached_property
    def age(self) -> tuple[int, int] | None:
        """(youngest, oldest) completed years the birth date allows; None when it is unknown."""
        born = self.facts.born
        if born is None or born.earliest > self.as_of:
            return None
        return (years_between(min(born.latest, self.as_of), self.as_of), years_between(born.earliest, self.as_of))

    def age_below(self, years: int) -> bool | None:
        """Surely below, surely not below, or None when unknown or when the birth date leaves it open."""
        if self.age is None:
            return None
        youngest, oldest = self.age
        return True if oldest < years else False if youngest >= years else None

    def findings(self, *concepts: str, history: bool = False, suspected: bool = True) -> tuple[Finding, ...]:
        """Findings with any of the concepts: present ones, and resolved ones too when `history`.

        A concept ending in "*" matches by prefix ("ctd.*"). "absent" findings are never returned."""
        return tuple(
            finding
            for finding in self.facts.findings
            if finding.certainty != "absent"
            and (suspected or finding.certainty == "confirmed")
            and (history or finding.course == "active")
            and matches(finding.concepts, concepts)
        )

    def absent(self, *concepts: str) -> tuple[Finding, ...]:
        """Findings by which the chart says that a concept is not there."""
        return tuple(f for f in self.facts.findings if f.certainty == "absent" and matches(f.concepts, concepts))

    def drugs(self, *names: str, stopped_within_days: int = 0, drafts: bool = True) -> tuple[Medication, ...]:
        """Active drugs (hook drafts included) by ingredient or class id; with `stopped_within_days` also those
        that ended up to so many days ago."""
        oldest = self.as_of - timedelta(days=stopped_within_days)
        wanted = frozenset(names)
        return tuple(
            drug
            for drug in self.facts.medications
            if (wanted & drug.drugs or wanted & drug.classes)
            and (drafts or not drug.draft)
            and (
                drug.state == "active"
                or (stopped_within_days > 0 and drug.ended is not None and drug.ended.latest >= oldest)
            )
        )

    def results(self, *analytes: str, usable: bool = True) -> tuple[Result, ...]:
        """Dated results of the analytes, newest first."""
        found = [r for r in self.facts.results if r.analyte in analytes and r.date and (r.usable or not usable)]
        return tuple(sorted(found, key=lambda r: r.date.sort_key if r.date else (date.min,), reverse=True))

    def latest(self, *analytes: str, max_age_days: int | None = None) -> Result | None:
        """The newest usable dated result, or None when there is none or it may be older than the window."""
        for result in self.results(*analytes):
            if max_age_days is None or self.age_in_days(result.date) <= max_age_days:
                return result
            return None
        return None

    def age_in_days(self, when: PartialDate | None) -> int:
        """Days from the earliest day the date can mean; a missing date is as old as can be."""
        return (self.as_of - when.earliest).days if when else 10**6


def matches(have: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether any concept is wanted; "ctd.*" stands for every concept of that prefix."""
    return any(
        concept == want or (want.endswith("*") and concept.startswith(want[:-1])) for concept in have for want in wanted
    )


def _known_on(facts: PatientFacts, as_of: date) -> PatientFacts:
    def seen(*dates: PartialDate | None) -> bool:
        return all(when is None or when.earliest <= as_of for when in dates)

    def not_ended(when: PartialDate | None) -> bool:
        return when is None or when.earliest > as_of

    return replace(
        facts,
        findings=_ordered(
            replace(f, course="active", ended=None) if f.ended and not_ended(f.ended) else f
            for f in facts.findings
            if seen(f.onset, f.recorded)
        ),
        results=_ordered(r for r in facts.results if seen(r.date)),
        lesions=_ordered(le for le in facts.lesions if seen(le.onset, le.recorded)),
        imaging=_ordered(i for i in facts.imaging if seen(i.date)),
        biopsies=_ordered(b for b in facts.biopsies if seen(b.date)),
        medications=_ordered(
            replace(m, state="active") if m.state == "stopped" and m.ended and not_ended(m.ended) else m
            for m in facts.medications
            if seen(m.started)
        ),
        actions=_ordered(a for a in facts.actions if seen(a.date)),
    )


class _Referenced(Protocol):
    @property
    def ref(self) -> str: ...


_Fact = TypeVar("_Fact", bound=_Referenced)


def _ordered(facts: Iterable[_Fact]) -> tuple[_Fact, ...]:
    """By reference: the order in which a server sends a chart must not change a word of the answer."""
    return tuple(sorted(facts, key=lambda fact: fact.ref))
