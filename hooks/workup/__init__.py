"""WorkupRules for one patient: what is worth ordering, what is done or ordered already, and what to avoid.

`decide_workup` lists every workup id of the contract, in the order in which a clinician wants them. Pure; never raises
on a chart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from hooks.assessment.sites import same_place, shown
from hooks.case import Case
from hooks.chart import Chart
from hooks.knowledge.safety_schema import Safety
from hooks.knowledge.therapy_schema import Therapies
from hooks.knowledge.workup_schema import Avoid, WorkupEntry, WorkupRules
from hooks.model import TherapyItem, WorkupItem
from hooks.therapy import decide_therapies
from hooks.therapy.conditions import Compiler, Test
from hooks.therapy.rules import Rulebook, rulebook
from hooks.therapy.view import Hit, View
from hooks.workup.done import find_done
from mappings.facts import Site

__all__ = ["decide_workup"]


class HasWorkupKnowledge(Protocol):
    """What is used of the knowledge."""

    @property
    def therapies(self) -> Therapies: ...
    @property
    def safety(self) -> Safety: ...
    @property
    def workup(self) -> WorkupRules: ...


@dataclass(frozen=True, slots=True)
class _Compiled:
    entry: WorkupEntry
    offer: tuple[tuple[Test, str], ...]
    avoid: tuple[tuple[Test, Avoid], ...]
    unless: Test | None


def decide_workup(
    chart: Chart, case: Case, knowledge: HasWorkupKnowledge, therapies: tuple[TherapyItem, ...] | None = None
) -> tuple[WorkupItem, ...]:
    """One item for each workup id. `therapies`: the decided therapies, when the caller already has them."""
    view = View(chart, case)
    if case.grade in knowledge.workup.therapy_grades:
        if therapies is None:
            therapies = decide_therapies(chart, case, knowledge)
        view.therapy_needs = _needs(therapies)
    book = rulebook(knowledge.safety, knowledge.therapies)
    return tuple(_with_cautions(_item(c, view, knowledge.workup), book, view) for c in _compiled(knowledge))


def _with_cautions(item: WorkupItem, book: Rulebook, view: View) -> WorkupItem:
    """An examination that the safety table knows as an agent (a biopsy) carries its warnings (rule S1.1)."""
    if item.id not in book.concerns or item.decision not in ("offer", "not-indicated"):
        return item
    warned = [fired for fired in book.evaluate(view, only=item.id) if fired.rule.action == "warn"]
    if not warned:
        return item
    notes = tuple(fired.note for fired in warned)
    because = " ".join((item.because, *notes)) if item.decision == "offer" else item.because
    return replace(item, because=because, cautions=notes)


def _needs(items: tuple[TherapyItem, ...]) -> frozenset[str]:
    """The therapies that are live (they suit this patient and nothing rules them out), and what they wait for."""
    live = [item for item in items if item.fits and item.decision in ("offer", "warn", "need")]
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
                tuple((compiler.compile(reason.when), reason.because) for reason in entry.offer),
                tuple((compiler.compile(avoid.when), avoid) for avoid in entry.avoid),
                compiler.compile(entry.done.unless) if entry.done.unless is not None else None,
            )
            for entry in workup.entries
        )
        _COMPILED[key] = (workup, safety, entries)
    return _COMPILED[key][2]


def _item(compiled: _Compiled, view: View, workup: WorkupRules) -> WorkupItem:
    """Done before avoid (the question is answered), avoid before ordered (an order to avoid is worth a word)."""
    entry = compiled.entry
    sites = _lesion_sites(view) if entry.sites else ()
    if compiled.unless is None or compiled.unless(view, None, {}) is None:
        done = find_done(entry, view, sites)
        if done is not None:
            return WorkupItem(entry.id, "already-done", workup.phrases.done.format(what=done.what), done.refs)
    reason, open_sites, refs = _avoided(compiled, view, sites)
    if reason is not None:
        return WorkupItem(entry.id, "avoid", workup.phrases.avoid.format(reason=reason), refs, sites)
    ordered = _ordered(entry, view, workup.open_order_days, open_sites)
    if ordered is not None:
        return WorkupItem(
            entry.id, "already-ordered", workup.phrases.ordered.format(what=ordered.said[0]), ordered.refs
        )
    for test, because in compiled.offer:
        hit = test(view, None, {})
        if hit is not None:
            evidence = hit.refs or (_lesion_refs(view) if entry.sites else ())
            return WorkupItem(entry.id, "offer", _said(because, hit), evidence, open_sites)
    return WorkupItem(entry.id, "not-indicated", f"{entry.idle}.")


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
    """An open order or draft of this id; one for another body site does not count."""
    for action in sorted(view.facts.actions, key=lambda action: action.ref):
        if action.kind == "done" or entry.id not in action.workup:
            continue
        if action.date is not None and view.chart.age_in_days(action.date) > days:
            continue
        elsewhere = bool(sites and action.sites) and not any(
            same_place(one, other) for one in action.sites for other in sites
        )
        if not elsewhere:
            where = f", {', '.join(shown(site) for site in action.sites)}" if action.sites else ""
            return Hit((action.ref,), (f"{action.label or entry.name}{where}",))
    return None


def _lesion_sites(view: View) -> tuple[Site, ...]:
    return tuple(dict.fromkeys(site for lesion in view.case.lesions for site in lesion.sites))


def _lesion_refs(view: View) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lesion.ref for lesion in view.case.lesions))


def _said(because: str, hit: Hit) -> str:
    facts: Iterable[str] = hit.said[:2]
    words = "; ".join(facts)
    return f"{because} ({words})." if words else f"{because}."
