"""What a condition rests on, read off its structure: the case or the chart alone, and what the chart must hold.

Both are found once, when the rules are compiled. They say which tests need not run: a test of diltiazem in a chart
without it can't hold, and a test of the chart alone says the same whatever is supposed of the lesions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from hooks.chart import Chart
from hooks.knowledge.safety_schema import Condition, walk

_CASE = ("lesion", "flag", "grade", "extent", "criterion", "missing", "mimic", "therapy_need", "first_of")
Token = tuple[Literal["concept", "drug", "analyte", "allergy"], str]
"""one thing that a chart may hold."""


class Scope(Struct, frozen=True):
    """`named` are the conditions that have a name, `rules` those of the table by id."""

    named: Mapping[str, Condition]
    rules: Mapping[str, Condition]

    def settled(self, condition: Condition) -> bool:
        """Whether the chart alone answers it, its lesions left aside."""
        return not any(self._of_case(part) for part in walk(condition))

    def _of_case(self, part: Condition) -> bool:
        if any(getattr(part, name) is not None for name in _CASE):
            return True
        if part.finding is not None:
            return part.finding.at_lesion is not None
        if part.is_ is not None:
            return not self.settled(self.named[part.is_])
        return part.rule is not None and not (part.rule in self.rules and self.settled(self.rules[part.rule]))

    def stands_alone(self, condition: Condition) -> bool:
        """Settled, and asks neither which other tests fired nor about an agent: one answer for one chart."""
        return not any(
            part.rule is not None
            or part.agent is not None
            or self._of_case(part)
            or (part.is_ is not None and not self.stands_alone(self.named[part.is_]))
            for part in walk(condition)
        )

    def asks_for_drugs(self, condition: Condition) -> bool:
        """Whether a drug on the list is among what it asks for."""
        return any(
            part.medication is not None
            or part.drug is not None
            or (part.is_ is not None and self.asks_for_drugs(self.named[part.is_]))
            for part in walk(condition)
        )

    def needed(self, condition: Condition) -> frozenset[Token] | None:
        """Without any of these in the chart it can't hold; None when nothing can be said."""
        kind = condition.kind
        if kind == "any":
            found = [self.needed(part) for part in condition.any or ()]
            return frozenset[Token]().union(*(one for one in found if one)) if None not in found else None
        if kind == "all":
            some = [one for part in condition.all or () if (one := self.needed(part)) is not None]
            return min(some, key=len) if some else None
        if condition.is_ is not None:
            return self.needed(self.named[condition.is_])
        if condition.finding is not None:
            return _tokens("concept", condition.finding.concepts)
        if kind in ("dx", "hx", "absent"):
            return _tokens("concept", getattr(condition, kind))
        if kind == "drug":
            return _tokens("drug", condition.drug or ())
        if condition.medication is not None:
            return _tokens("drug", condition.medication.any)
        if condition.lab is not None:
            return _tokens("analyte", (condition.lab.analyte,))
        if condition.allergy is not None:
            return _tokens("allergy", condition.allergy.any)
        return None


def _tokens(kind: Literal["concept", "drug", "analyte", "allergy"], names: Iterable[str]) -> frozenset[Token]:
    return frozenset((kind, name) for name in names)


def held(chart: Chart) -> Mapping[str, Iterable[str]]:
    """What a chart holds, by the kind of token."""
    return {
        "concept": chart.by_concept,
        "drug": chart.by_drug,
        "analyte": chart.by_analyte,
        "allergy": {name for allergy in chart.facts.allergies for name in (*allergy.drugs, *allergy.classes)},
    }


class Candidates(Struct, frozen=True):
    """Which of the numbered tests can hold in a chart."""

    always: tuple[int, ...]
    by_token: Mapping[str, Mapping[str, tuple[int, ...]]]
    by_prefix: tuple[tuple[str, tuple[int, ...]], ...]
    """concepts by how they begin ("failed.*")."""

    @classmethod
    def of(cls, needed: Iterable[frozenset[Token] | None]) -> Candidates:
        always: list[int] = []
        table: dict[str, dict[str, list[int]]] = {}
        prefixes: dict[str, list[int]] = {}
        for number, tokens in enumerate(needed):
            if tokens is None:
                always.append(number)
                continue
            for kind, name in tokens:
                if kind == "concept" and name.endswith("*"):
                    prefixes.setdefault(name[:-1], []).append(number)
                else:
                    table.setdefault(kind, {}).setdefault(name, []).append(number)
        return cls(
            tuple(always),
            {kind: {name: tuple(numbers) for name, numbers in entries.items()} for kind, entries in table.items()},
            tuple((prefix, tuple(numbers)) for prefix, numbers in prefixes.items()),
        )

    def within(self, chart: Chart) -> list[int]:
        """The numbers of those, in order."""
        found = set(self.always)
        has = held(chart)
        for kind, entries in self.by_token.items():
            for name in has[kind]:
                if name in entries:
                    found.update(entries[name])
        for name in has["concept"]:
            for prefix, numbers in self.by_prefix:
                if name.startswith(prefix):
                    found.update(numbers)
        return sorted(found)
