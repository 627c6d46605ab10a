"""What would be said of a chart with one more lesion, for the question of the card.

An answer moves a few decisions, most stay. Each therapy and each investigation looks at a few things of the case
(`hooks/therapy/looks.py`); it is decided once for each way in which these can stand, and `assess` has decided all of
them once already."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from hooks.case import Case
from hooks.chart import Chart
from hooks.knowledge import Knowledge
from hooks.knowledge.safety_schema import Condition
from hooks.knowledge.workup_schema import WorkupEntry
from hooks.model import Assessment, CardKind, Grade, Newness, WorkupDecision
from hooks.situation import card_of, events_of, judged_case
from hooks.therapy import Verdict, Weighing, weigh_therapies
from hooks.therapy.looks import Looks
from hooks.therapy.rules import rulebook
from hooks.therapy.view import View
from hooks.workup import sites_of, weigh_workup
from mappings.facts import Lesion, Site

Decided = tuple[str, WorkupDecision]
_K = TypeVar("_K", bound=Hashable)


class Outline(Struct, frozen=True):
    """An assessment without its words: what an answer can move."""

    grade: Grade
    card: CardKind
    flags: frozenset[str]
    newness: Newness | None
    workup: frozenset[tuple[str, WorkupDecision]]
    therapies: frozenset[Verdict]

    @classmethod
    def of(cls, found: Assessment) -> Outline:
        return cls(
            found.grade,
            found.card,
            frozenset(flag.id for flag in found.red_flags),
            found.criteria.lesion.newness,
            frozenset((item.id, item.decision) for item in found.workup),
            frozenset((item.id, item.decision, item.fits, item.orderable) for item in found.therapies),
        )


class _Unit(Struct, frozen=True, eq=False):
    """Therapies or investigations (by id) that look at the same things of a case."""

    ids: frozenset[str]
    reads: int
    """the bits of what they look at."""
    sites: bool = False
    """they look at where the lesions are, too."""


class _Units(Struct, frozen=True):
    """All of one knowledge."""

    looks: Looks
    therapies: tuple[_Unit, ...]
    workup: tuple[_Unit, ...]

    @classmethod
    def of(cls, knowledge: Knowledge) -> _Units:
        looks, book = Looks(knowledge.safety), rulebook(knowledge.safety, knowledge.therapies)
        of_agent = {therapy.id: looks.reads(therapy.fits) for therapy in knowledge.therapies.therapies}
        for rule in knowledge.safety.rules:
            for agent in knowledge.safety.agents_of(rule):
                if agent in of_agent:
                    of_agent[agent] |= looks.reads(rule.when)
        for entry in book.pairs:  # the one is decided by the other, and by the order in which they are shown
            pair = entry.rule.when.first_of or ()
            joined = looks.extent()
            for agent in pair:
                joined |= of_agent[agent]
            of_agent |= dict.fromkeys(pair, joined)
        of_entry = {entry.id: (looks.reads_any(_asked_by(entry)), entry.sites) for entry in knowledge.workup.entries}
        return cls(
            looks,
            tuple(_Unit(frozenset(ids), reads) for reads, ids in _grouped(of_agent).items()),
            tuple(_Unit(frozenset(ids), reads, sites) for (reads, sites), ids in _grouped(of_entry).items()),
        )


def _grouped(reads: Mapping[str, _K]) -> dict[_K, list[str]]:
    """The ids by what they look at."""
    groups: dict[_K, list[str]] = {}
    for name, key in reads.items():
        groups.setdefault(key, []).append(name)
    return groups


def _asked_by(entry: WorkupEntry) -> Iterator[Condition]:
    yield from (reason.when for reason in entry.offer)
    yield from (avoid.when for avoid in entry.avoid)
    if entry.done.unless is not None:
        yield entry.done.unless


_UNITS: dict[int, tuple[Knowledge, _Units]] = {}


def _units(knowledge: Knowledge) -> _Units:
    """The units of this knowledge, made once (it is kept, so that its id is never reused)."""
    key = id(knowledge)
    if key not in _UNITS:
        _UNITS[key] = knowledge, _Units.of(knowledge)
    return _UNITS[key][1]


def prepare(knowledge: Knowledge) -> None:
    """Makes what the first question about this knowledge would wait for."""
    _units(knowledge)


class Supposing:
    """What would be said of a chart with one more lesion; what the lesion has no part in is worked out once."""

    def __init__(self, chart: Chart, knowledge: Knowledge) -> None:
        self._chart, self._knowledge, self._units = chart, knowledge, _units(knowledge)
        self._whole: dict[object, Any] = {}
        """all units of one way in which things stand, put together: most answers leave everything as it was."""
        self._therapies: dict[tuple[_Unit, int], tuple[frozenset[Verdict], frozenset[str]]] = {}
        self._workup: dict[tuple[_Unit, int, int], frozenset[Decided]] = {}
        self._places: dict[tuple[Site, ...], int] = {}
        """places that lesions were supposed at, numbered: compared often, so that they are hashed once."""

    @classmethod
    def after(cls, view: View, therapies: Weighing, told: Outline, knowledge: Knowledge) -> Supposing:
        """The same, where the chart as it is was assessed already."""
        made = cls(view.chart, knowledge)
        bits = made._units.looks.seen(view)
        made._weighed(therapies, bits, made._units.therapies)
        needs = bits | made._units.looks.needed(view.therapy_needs)
        made._ordered(told.workup, needs, made._place(view.case), made._units.workup)
        return made

    def outline(self, lesion: Lesion | None = None) -> Outline:
        """The outline of the assessment with this lesion, seen today (None: as the chart is)."""
        chart, knowledge = self._chart if lesion is None else self._chart.supposing(lesion), self._knowledge
        judged, _, graded, case = judged_case(chart, knowledge)
        newness = case.criteria.lesion.newness
        flags = frozenset(flag.id for flag in case.red_flags)
        if graded.grade == "none":
            return Outline("none", "none", flags, newness, frozenset(), frozenset())
        view = View(chart, case)
        bits = self._units.looks.seen(view)
        known = judged.lesions.newness == "N4"  # then a new conflict of drugs counts, which takes the words
        events = events_of(judged, view, weigh_therapies(view, knowledge) if known else None, knowledge)
        therapies, waited_for = self._decided_therapies(view, bits)
        if case.grade in knowledge.workup.therapy_grades:
            view.therapy_needs = waited_for
        workup = self._decided_workup(view, bits | self._units.looks.needed(view.therapy_needs))
        return Outline(graded.grade, card_of(graded.grade, judged, events), flags, newness, workup, therapies)

    def _decided_therapies(self, view: View, bits: int) -> tuple[frozenset[Verdict], frozenset[str]]:
        """The verdict on every therapy, and what the live ones wait for."""
        whole: tuple[frozenset[Verdict], frozenset[str]] | None = self._whole.get(bits)
        if whole is not None:
            return whole
        units, known = self._units.therapies, self._therapies
        new = [unit for unit in units if (unit, bits & unit.reads) not in known]
        if new:
            only = frozenset[str]().union(*(unit.ids for unit in new))
            self._weighed(weigh_therapies(view, self._knowledge, only), bits, new)
        found = [known[unit, bits & unit.reads] for unit in units]
        whole = self._whole[bits] = (
            frozenset[Verdict]().union(*[verdicts for verdicts, _ in found]),
            frozenset[str]().union(*[waited_for for _, waited_for in found]),
        )
        return whole

    def _weighed(self, weighing: Weighing, bits: int, units: Iterable[_Unit]) -> None:
        units = tuple(units)
        for unit, some in zip(units, weighing.split(unit.ids for unit in units), strict=True):
            self._therapies[unit, bits & unit.reads] = some.verdicts(), some.waited_for()

    def _decided_workup(self, view: View, bits: int) -> frozenset[Decided]:
        units, known, place = self._units.workup, self._workup, self._place(view.case)
        whole: frozenset[Decided] | None = self._whole.get((bits, place))
        if whole is not None:
            return whole
        keys = [(unit, bits & unit.reads, unit.sites and place) for unit in units]
        new = [key[0] for key in keys if key not in known]
        if new:
            only = frozenset[str]().union(*(unit.ids for unit in new))
            decided = frozenset(entry.verdict for entry in weigh_workup(view, self._knowledge, only))
            self._ordered(decided, bits, place, new)
        whole = self._whole[bits, place] = frozenset[Decided]().union(*[known[key] for key in keys])
        return whole

    def _ordered(self, decided: frozenset[Decided], bits: int, place: int, units: Iterable[_Unit]) -> None:
        by_id = {entry[0]: entry for entry in decided}
        for unit in units:
            key = unit, bits & unit.reads, unit.sites and place
            self._workup[key] = frozenset([by_id[name] for name in unit.ids])

    def _place(self, case: Case) -> int:
        return self._places.setdefault(sites_of(case), len(self._places) + 1)
