"""WorkupRules for one patient: what is worth ordering, what is done or ordered already, and what to avoid.

`decide_workup` lists every workup id of the contract, in the order in which a clinician wants them. Pure; never raises
on a chart.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from hooks.assessment.sites import same_place, shown
from hooks.case import Case
from hooks.chart import Chart
from hooks.knowledge.safety_schema import Safety
from hooks.knowledge.therapy_schema import Therapies
from hooks.knowledge.workup_schema import Avoid, WorkupEntry, WorkupRules
from hooks.model import OPEN, TherapyItem, WorkupDecision, WorkupItem
from hooks.therapy import weigh_therapies
from hooks.therapy.conditions import Compiler, Test
from hooks.therapy.rules import Rulebook, rulebook
from hooks.therapy.view import Hit, View
from hooks.workup.done import Answered, Finder, finders, first_found
from mappings.facts import Action, Site

__all__ = ["WeighedWorkup", "decide_workup", "sites_of", "weigh_workup"]


class HasWorkupKnowledge(Protocol):
    """What is used of the knowledge."""

    @property
    def therapies(self) -> Therapies: ...
    @property
    def safety(self) -> Safety: ...
    @property
    def workup(self) -> WorkupRules: ...


class _Compiled(Struct, frozen=True):
    entry: WorkupEntry
    id: str
    at_sites: bool
    answers: tuple[Finder, ...]
    same_place: bool
    """whether what answers it must be of the place of the lesion."""
    offer: tuple[tuple[Test, str], ...]
    avoid: tuple[tuple[Test, Avoid], ...]
    unless: Test | None


def decide_workup(
    chart: Chart, case: Case, knowledge: HasWorkupKnowledge, therapies: tuple[TherapyItem, ...] | None = None
) -> tuple[WorkupItem, ...]:
    """One item for each workup id. `therapies`: the decided therapies, when the caller already has them."""
    view = View(chart, case)
    if case.grade in knowledge.workup.therapy_grades:
        view.therapy_needs = (
            weigh_therapies(view, knowledge).waited_for() if therapies is None else _waited_for(therapies)
        )
    return tuple(entry.item() for entry in weigh_workup(view, knowledge))


class WeighedWorkup(Struct, frozen=True):
    """One entry, decided but not yet put into words."""

    outcome: _Outcome
    entry: WorkupEntry
    view: View
    rules: WorkupRules
    book: Rulebook

    @property
    def verdict(self) -> tuple[str, WorkupDecision]:
        return self.entry.id, self.outcome.decision

    def item(self) -> WorkupItem:
        item = _item(self.outcome, self.entry, self.view, self.rules)
        return _with_cautions(item, self.book, self.view) if item.id in self.book.concerns else item


def sites_of(case: Case) -> tuple[Site, ...]:
    """Where the lesions are, each place once."""
    return tuple(dict.fromkeys(site for lesion in case.lesions for site in lesion.sites))


def weigh_workup(
    view: View, knowledge: HasWorkupKnowledge, only: Container[str] | None = None
) -> tuple[WeighedWorkup, ...]:
    """Every entry in order, or `only` some, by id. `view.therapy_needs` says what the live therapies wait for."""
    workup, book = knowledge.workup, rulebook(knowledge.safety, knowledge.therapies)
    sites, days = sites_of(view.case), workup.open_order_days
    return tuple(
        [
            WeighedWorkup(_decide(c, view, days, sites if c.at_sites else ()), c.entry, view, workup, book)
            for c in _compiled(knowledge)
            if only is None or c.id in only
        ]
    )


def _with_cautions(item: WorkupItem, book: Rulebook, view: View) -> WorkupItem:
    """An examination that the safety table knows as an agent (a biopsy) carries its warnings (rule S1.1)."""
    if item.decision not in ("offer", "not-indicated"):
        return item
    warned = [fired for fired in book.evaluate(view, only=item.id) if fired.rule.action == "warn"]
    if not warned:
        return item
    notes = tuple(fired.note for fired in warned)
    because = " ".join((item.because, *notes)) if item.decision == "offer" else item.because
    return replace(item, because=because, cautions=notes)


def _waited_for(items: tuple[TherapyItem, ...]) -> frozenset[str]:
    """The therapies that are live (they suit this patient and nothing rules them out), and what they wait for."""
    live = [item for item in items if item.fits and item.decision in OPEN]
    return frozenset([item.id for item in live] + [need for item in live for need in item.needs])


_COMPILED: dict[tuple[int, int], tuple[WorkupRules, Safety, tuple[_Compiled, ...]]] = {}


def _compiled(knowledge: HasWorkupKnowledge) -> tuple[_Compiled, ...]:
    """The entries with their conditions compiled, once for each knowledge (the key objects are kept)."""
    workup, safety = knowledge.workup, knowledge.safety
    key = (id(workup), id(safety))
    if key not in _COMPILED:
        compiler = Compiler(safety.vocabulary.conditions, safety.vocabulary.analytes)
        entries = tuple(
            _Compiled(
                entry,
                entry.id,
                entry.sites,
                finders(entry),
                entry.done.same_site,
                tuple((compiler.compile_kept(reason.when), reason.because) for reason in entry.offer),
                tuple((compiler.compile_kept(avoid.when), avoid) for avoid in entry.avoid),
                compiler.compile_kept(entry.done.unless) if entry.done.unless is not None else None,
            )
            for entry in workup.entries
        )
        _COMPILED[key] = (workup, safety, entries)
    return _COMPILED[key][2]


class _Outcome(Struct, frozen=True):
    """What was decided and on what: `said` is what is done or ordered, or why to avoid or to offer it."""

    decision: WorkupDecision
    said: str = ""
    refs: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()
    hit: Hit | None = None


_IDLE = _Outcome("not-indicated")


def _decide(compiled: _Compiled, view: View, days: int, sites: tuple[Site, ...]) -> _Outcome:
    """Done before avoid (the question is answered), avoid before ordered (an order to avoid is worth a word). `days`:
    how long an order is open."""
    done = _done(compiled, view, sites)
    if done is not None and (compiled.unless is None or compiled.unless(view, None, {}) is None):
        return _Outcome("already-done", done.what, done.refs)
    open_sites = sites
    if compiled.avoid:
        reason, open_sites, refs = _avoided(compiled, view, sites)
        if reason is not None:
            return _Outcome("avoid", reason, refs, sites)
    ordered = _ordered(compiled.entry, view, days, open_sites) if compiled.id in view.chart.by_order else None
    if ordered is not None:
        return _Outcome("already-ordered", ordered.said[0], ordered.refs)
    for test, because in compiled.offer:
        hit = test(view, None, {})
        if hit is not None:
            return _Outcome("offer", because, hit.refs, open_sites, hit)
    return _IDLE


def _done(compiled: _Compiled, view: View, sites: tuple[Site, ...]) -> Answered | None:
    """What answers it; asked once a chart where the place of the lesion does not matter."""
    if compiled.same_place:
        return first_found(compiled.answers, view, sites)
    key = ("done", id(compiled))
    memory = view.chart.memory
    if key not in memory:
        memory[key] = first_found(compiled.answers, view, sites)
    found: Answered | None = memory[key]
    return found


def _item(outcome: _Outcome, entry: WorkupEntry, view: View, workup: WorkupRules) -> WorkupItem:
    """The outcome in words."""
    decision, said, refs = outcome.decision, outcome.said, outcome.refs
    if decision == "not-indicated":
        return WorkupItem(entry.id, decision, f"{entry.idle}.")
    if decision == "offer" and outcome.hit is not None:
        evidence = refs or (_lesion_refs(view) if entry.sites else ())
        return WorkupItem(entry.id, decision, _said(said, outcome.hit), evidence, outcome.sites)
    if decision == "already-done":
        return WorkupItem(entry.id, decision, workup.phrases.done.format(what=said), refs)
    if decision == "avoid":
        return WorkupItem(entry.id, decision, workup.phrases.avoid.format(reason=said), refs, outcome.sites)
    return WorkupItem(entry.id, decision, workup.phrases.ordered.format(what=said), refs)


def _avoided(
    compiled: _Compiled, view: View, sites: tuple[Site, ...]
) -> tuple[str | None, tuple[Site, ...], tuple[str, ...]]:
    """(why to avoid it everywhere or None, the sites that remain, evidence)."""
    remaining = sites
    reasons: list[str] = []
    refs: list[str] = []
    for test, avoid in compiled.avoid:
        hit = test(view, None, {})
        if hit is None:
            continue
        if not avoid.by_site:
            return avoid.because, (), hit.refs
        matched = tuple(site for site in remaining if _matches(site, avoid))
        if matched:
            reasons.append(avoid.because)
            refs.extend(hit.refs or _lesion_refs(view))
            remaining = tuple(site for site in remaining if site not in matched)
    if reasons and not remaining:
        return "; ".join(dict.fromkeys(reasons)), (), tuple(dict.fromkeys(refs))
    return None, remaining, ()


def _matches(site: Site, avoid: Avoid) -> bool:
    return (site.region in avoid.regions or site.place in avoid.places) and site.place not in avoid.not_places


def _ordered(entry: WorkupEntry, view: View, days: int, sites: tuple[Site, ...]) -> Hit | None:
    """An open order or draft of this id; one for another body site does not count, and of what needs several results
    those of some of them do not."""
    every = frozenset(entry.done.analytes if entry.done.all_analytes else ())
    some: list[Action] = []
    for action in view.chart.orders((entry.id,)):
        if action.kind == "done":
            continue
        if action.date is not None and view.chart.age_in_days(action.date) > days:
            continue
        elsewhere = bool(sites and action.sites) and not any(
            same_place(one, other) for one in action.sites for other in sites
        )
        if elsewhere:
            continue
        if not every or not action.parts:
            label = action.label or entry.name
            places = [words for site in action.sites if (words := shown(site)).lower() not in label.lower()]
            return Hit((action.ref,), (", ".join((label, *places)),))
        some.append(action)
    if some and every <= frozenset[str]().union(*(action.parts for action in some)):
        return Hit(tuple(a.ref for a in some), tuple(a.label or entry.name for a in some))
    return None


def _lesion_refs(view: View) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lesion.ref for lesion in view.case.lesions))


def _said(because: str, hit: Hit) -> str:
    facts: Iterable[str] = hit.said[:2]
    words = "; ".join(facts)
    return f"{because} ({words})." if words else f"{because}."
