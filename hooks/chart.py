"""Questions that rules ask of a patient's facts, on a given day.

A fact that lies wholly after the day is not seen at all (so a back-test on an earlier day can't be changed by later
data), but for a drug of the day after: where the hospital is, it may be that day already. Every answer keeps the facts
behind it, so that a rule can cite them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from operator import attrgetter
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from mappings.dates import PartialDate, years_between
from mappings.facts import Action, Finding, Lesion, Medication, PatientFacts, Result


class _Referenced(Protocol):
    @property
    def ref(self) -> str: ...


_Fact = TypeVar("_Fact", bound=_Referenced)
_reference = attrgetter("ref")
_EAST_DAYS = 1
"""What was prescribed this morning east of us has tomorrow's date here, and may be what another drug must not meet."""


class Chart:
    """`facts` as they were knowable on `as_of`, indexed once. What is asked again is answered from memory."""

    def __init__(self, facts: PatientFacts, as_of: date, told_days: int | None = None) -> None:
        """`told_days`: how long a drug that only a note names as taken counts (`criteria.yaml`); None: for ever."""
        self.as_of = as_of
        self.given = facts
        self.facts = _known_on(facts, as_of, told_days)
        self.memory: dict[object, Any] = {}
        """answers that rest on this chart alone, its lesions left aside: charts that differ in them share it."""
        self.by_concept: Mapping[str, list[Finding]] = _index([(f, f.concepts) for f in self.facts.findings])
        """concept → the findings that carry it, absent ones too, in the order of their references."""
        self.by_drug: Mapping[str, list[Medication]] = _index(
            [(m, m.drugs | m.classes) for m in self.facts.medications]
        )
        """ingredient or class → the drugs of the list, in the order of their references."""
        self.by_analyte: Mapping[str, list[Result]] = _index(
            [(r, (r.analyte,)) for r in self.facts.results if r.date is not None]
        )
        """analyte → its dated results, usable or not, in the order of their references."""
        self.by_order: Mapping[str, list[Action]] = _index([(a, a.workup) for a in self.facts.actions])
        """workup id → what was done or ordered of it, in the order of their references."""

    def supposing(self, *lesions: Lesion) -> Chart:
        """The same chart with these lesions, seen today, too; what rests on no lesion is not worked out again."""
        other = Chart.__new__(Chart)
        other.as_of, other.given, other.memory = self.as_of, self.given, self.memory
        other.by_concept, other.by_drug, other.by_analyte = self.by_concept, self.by_drug, self.by_analyte
        other.by_order = self.by_order
        other.facts = replace(self.facts, lesions=_ordered((*self.facts.lesions, *lesions)))
        return other

    @property
    def age(self) -> tuple[int, int] | None:
        """(youngest, oldest) completed years the birth date allows; None when it is unknown."""
        if "age" not in self.memory:
            self.memory["age"] = _age(self.facts.born, self.as_of)
        found: tuple[int, int] | None = self.memory["age"]
        return found

    def age_below(self, years: int) -> bool | None:
        """Surely below, surely not below, or None when unknown or when the birth date leaves it open."""
        if self.age is None:
            return None
        youngest, oldest = self.age
        return True if oldest < years else False if youngest >= years else None

    def findings(self, *concepts: str, history: bool = False, suspected: bool = True) -> tuple[Finding, ...]:
        """Findings with any of the concepts: present ones, and resolved ones too when `history`.

        A concept ending in "*" matches by prefix ("ctd.*"). "absent" findings are never returned."""
        key = (concepts, history, suspected)
        found: tuple[Finding, ...] | None = self.memory.get(key)
        if found is None:
            found = self.memory[key] = tuple(
                finding
                for finding in self._with(concepts)
                if finding.certainty != "absent"
                and (suspected or finding.certainty == "confirmed")
                and (history or finding.course == "active")
            )
        return found

    def absent(self, *concepts: str) -> tuple[Finding, ...]:
        """Findings by which the chart says that a concept is not there."""
        return tuple(f for f in self._with(concepts) if f.certainty == "absent")

    def _with(self, concepts: tuple[str, ...]) -> Iterable[Finding]:
        """The findings that carry any of the concepts, each once, in the order of their references."""
        table = self.by_concept
        names = concepts_in(table, concepts)
        if len(names) < 2:
            return table[names[0]] if names else ()
        wanted = {id(finding) for name in names for finding in table[name]}
        return [finding for finding in self.facts.findings if id(finding) in wanted]

    def drugs(self, *names: str, stopped_within_days: int = 0, drafts: bool = True) -> tuple[Medication, ...]:
        """Active drugs (hook drafts included) by ingredient or class id; with `stopped_within_days` also those
        that ended up to so many days ago."""
        table = self.by_drug
        wanted = {id(drug) for name in names if name in table for drug in table[name]}
        if not wanted:
            return ()
        oldest = self.as_of - timedelta(days=stopped_within_days)
        return tuple(
            drug
            for drug in self.facts.medications
            if id(drug) in wanted
            and (drafts or not drug.draft)
            and (
                drug.goes_on(self.as_of)
                or (stopped_within_days > 0 and drug.ended is not None and drug.ended.latest >= oldest)
            )
        )

    def orders(self, workup: Iterable[str]) -> list[Action]:
        """What was done or ordered of any of these, each once, in the order of their references."""
        table = self.by_order
        names = [name for name in workup if name in table]
        if len(names) < 2:
            return table[names[0]] if names else []
        wanted = {id(action) for name in names for action in table[name]}
        return [action for action in self.facts.actions if id(action) in wanted]

    def results(self, *analytes: str, usable: bool = True) -> tuple[Result, ...]:
        """Dated results of the analytes, newest first."""
        key = ("results", analytes, usable)
        found: tuple[Result, ...] | None = self.memory.get(key)
        if found is None:
            table = self.by_analyte
            if not any(analyte in table for analyte in analytes):
                listed = []
            elif len(analytes) == 1:
                listed = [r for r in table[analytes[0]] if r.usable or not usable]
            else:
                listed = [
                    r for r in self.facts.results if r.analyte in analytes and r.date and (r.usable or not usable)
                ]
            listed.sort(key=_when, reverse=True)
            found = self.memory[key] = tuple(listed)
        return found

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


def concepts_in(table: Mapping[str, object], wanted: Iterable[str]) -> list[str]:
    """The names of the table that are wanted, in the order of the wish; "ctd.*" stands for all of that prefix."""
    names: list[str] = []
    for want in wanted:
        if want in table:
            names.append(want)
        elif want[-1:] == "*":
            names.extend(name for name in table if name.startswith(want[:-1]))
    return names


def _when(result: Result) -> tuple[object, ...]:
    return result.date.sort_key if result.date else (date.min,)


def _age(born: PartialDate | None, as_of: date) -> tuple[int, int] | None:
    if born is None or born.earliest > as_of:
        return None
    return (years_between(min(born.latest, as_of), as_of), years_between(born.earliest, as_of))


def _known_on(facts: PatientFacts, day: date, told_days: int | None) -> PatientFacts:
    """Without what lies wholly after the day; what ends after it had not ended."""
    return replace(
        facts,
        findings=_ordered(
            [
                f if f.ended is None or f.ended.earliest <= day else replace(f, course="active", ended=None)
                for f in facts.findings
                if (f.onset is None or f.onset.earliest <= day) and (f.recorded is None or f.recorded.earliest <= day)
            ]
        ),
        results=_ordered([r for r in facts.results if r.date is None or r.date.earliest <= day]),
        lesions=_ordered(
            [
                le
                for le in facts.lesions
                if (le.onset is None or le.onset.earliest <= day)
                and (le.recorded is None or le.recorded.earliest <= day)
            ]
        ),
        imaging=_ordered([i for i in facts.imaging if i.date is None or i.date.earliest <= day]),
        biopsies=_ordered([b for b in facts.biopsies if b.date is None or b.date.earliest <= day]),
        medications=_ordered(
            [
                replace(m, state="active") if m.state == "stopped" and m.ended and m.ended.earliest > day else m
                for m in facts.medications
                if (m.started is None or _prescribed(m.started, day)) and _still_told(m.told, day, told_days)
            ]
        ),
        actions=_ordered([a for a in facts.actions if a.date is None or a.date.earliest <= day]),
    )


def _prescribed(when: PartialDate, day: date) -> bool:
    return (when.earliest - day).days <= _EAST_DAYS


def _still_told(told: PartialDate | None, day: date, days: int | None) -> bool:
    """Whether what a note told of a drug counts: a danger counts as long as it may be recent enough."""
    if told is None:
        return True
    return _prescribed(told, day) and (days is None or told.latest >= day - timedelta(days=days))


def _index(entries: Iterable[tuple[_Fact, Iterable[str]]]) -> dict[str, list[_Fact]]:
    table: dict[str, list[_Fact]] = {}
    for fact, keys in entries:
        for key in keys:
            table.setdefault(key, []).append(fact)
    return table


def _ordered(facts: Iterable[_Fact]) -> tuple[_Fact, ...]:
    """By reference: the order in which a server sends a chart must not change a word of the answer."""
    return tuple(sorted(facts, key=_reference))
