"""Therapy options for one patient: what may be offered, with which care, and what not, each with its reason.

`decide_therapies` lists every agent of the contract, in presentation order. It is pure and never raises on a chart.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Protocol

from msgspec import Struct

from hooks.case import Case
from hooks.chart import Chart
from hooks.knowledge.safety_schema import CARD_TEXT, Cap, Safety
from hooks.knowledge.therapy_schema import Phrases, Therapies, Therapy
from hooks.model import OPEN, InUse, TherapyDecision, TherapyItem
from hooks.therapy.rules import Fired, Rulebook, fire, lowest_caps, rulebook, strictest
from hooks.therapy.view import Hit, View

__all__ = ["Prompt", "Verdict", "Weighing", "decide_therapies", "prompts", "weigh_therapies"]

_DESCRIBED = frozenset({"probable", "likely", "confirmed"})
_WAITS = "need"

Verdict = tuple[str, TherapyDecision, bool, bool]
"""(id, decision, whether it fits, whether it may be ordered)."""


class HasTherapyKnowledge(Protocol):
    """What is used of the knowledge."""

    @property
    def therapies(self) -> Therapies: ...
    @property
    def safety(self) -> Safety: ...


class Prompt(Struct, frozen=True):
    """A sentence for the card that belongs to no agent (rule W1w: vitamin K antagonist and a lesion)."""

    rule: str
    text: str
    evidence: tuple[str, ...]
    sources: tuple[str, ...]


class _Weighed(Struct):
    """An agent with the tests that hold for it. What it comes to is asked only when all of them are known."""

    therapy: Therapy
    fired: list[Fired]
    fits: bool
    _verdict: tuple[Fired | None, TherapyDecision] | None = None

    @property
    def verdict(self) -> tuple[Fired | None, TherapyDecision]:
        """The test that decides, and the decision."""
        if self._verdict is None:
            top = strictest(self.fired)
            self._verdict = top, _decision(top, self.fired, self.fits)
        return self._verdict

    @property
    def draft_allowed(self) -> bool:
        return self.fits and not any(f.forbids_draft for f in self.fired)

    @property
    def orderable(self) -> bool:
        return self.therapy.draft is not None and self.draft_allowed

    @property
    def needs(self) -> tuple[str, ...]:
        """What must come first, in table order."""
        asking = [f for f in self.fired if f.action == "need"]
        return tuple(dict.fromkeys([n for f in asking for n in (*f.rule.needs, *f.hit.needs)])) if asking else ()


class Weighing(Struct, frozen=True):
    """The therapies of one case, weighed but not yet put into words."""

    case: Case
    phrases: Phrases
    book: Rulebook
    entries: list[_Weighed]

    def items(self) -> tuple[TherapyItem, ...]:
        return tuple([_item(entry, self.case, self.phrases, self.book) for entry in self.entries])

    def split(self, parts: Iterable[Iterable[str]]) -> Iterator[Weighing]:
        """Each part of them, by id."""
        by_id = {entry.therapy.id: entry for entry in self.entries}
        for ids in parts:
            yield Weighing(self.case, self.phrases, self.book, [by_id[name] for name in ids])

    def verdicts(self) -> frozenset[Verdict]:
        """The items without their words."""
        return frozenset([(entry.therapy.id, entry.verdict[1], entry.fits, entry.orderable) for entry in self.entries])

    def waited_for(self) -> frozenset[str]:
        """The therapies that are live (they suit this patient and nothing rules them out), and what they wait for."""
        found: set[str] = set()
        for entry in self.entries:
            if entry.fits and entry.verdict[1] in OPEN:
                found.update((entry.therapy.id, *entry.needs))
        return frozenset(found)


def weigh_therapies(view: View, knowledge: HasTherapyKnowledge, only: Container[str] | None = None) -> Weighing:
    """Every therapy with the tests that hold for it, in presentation order for the extent of this patient; `only` some,
    by id: of the agents of a pair rule all or none."""
    book = rulebook(knowledge.safety, knowledge.therapies)
    fired = book.fired(view)
    weighed = [
        _Weighed(therapy, fired(therapy.id), book.suits(therapy, view))
        for therapy in knowledge.therapies.ordered(view.case.criteria.lesion.extent)
        if only is None or therapy.id in only
    ]
    phrases = knowledge.therapies.phrases
    _apply_pairs(weighed, book, view, phrases)
    return Weighing(view.case, phrases, book, weighed)


def decide_therapies(chart: Chart, case: Case, knowledge: HasTherapyKnowledge) -> tuple[TherapyItem, ...]:
    """One item for each of the therapies, in presentation order for the extent of this patient."""
    return weigh_therapies(View(chart, case), knowledge).items()


def prompts(view: View, knowledge: HasTherapyKnowledge) -> tuple[Prompt, ...]:
    """The tests of the table whose agent is the card itself."""
    fired = rulebook(knowledge.safety, knowledge.therapies).evaluate(view, only=CARD_TEXT)
    return tuple(Prompt(f.rule.reported, f.note, f.hit.refs, f.rule.sources) for f in fired)


def _apply_pairs(weighed: list[_Weighed], book: Rulebook, view: View, phrases: Phrases) -> None:
    """D8.4: where none of the pair is active and both could still be drafted, only the first keeps its draft. It stays
    a warning for both, as the table has it: each is told of the other."""
    for rule in book.pairs:
        pair = [entry for entry in weighed if entry.therapy.id in (rule.rule.when.first_of or ())]
        if (
            not pair
            or not all(entry.draft_allowed for entry in pair)
            or any(view.active(entry.therapy) for entry in pair)
        ):
            continue
        first = pair[0].therapy.name  # in presentation order
        others = ", ".join(entry.therapy.name for entry in pair[1:])
        for entry in pair:
            later = entry is not pair[0]
            said = phrases.pair_later.format(other=first) if later else phrases.pair_first.format(other=others)
            entry.fired.append(fire(rule.rule, rule.position, order_off=later).because_of(Hit((), (said,))))
            entry.fired.sort(key=lambda fired: fired.position)


def _item(entry: _Weighed, case: Case, phrases: Phrases, book: Rulebook) -> TherapyItem:
    therapy, fired = entry.therapy, entry.fired
    agent, (top, decision) = therapy.id, entry.verdict
    caps = [cap for f in fired if f.action == "cap" and (cap := _cap(f, therapy)) is not None]
    return TherapyItem(
        id=agent,
        decision=decision,
        orderable=entry.orderable,
        because=_because(top, fired, therapy, decision, phrases),
        rules=tuple(dict.fromkeys([f.reported for f in fired])),
        notes=tuple(dict.fromkeys([f.note for f in fired])),
        needs=entry.needs,
        cap=lowest_caps(caps) if caps else None,
        evidence=tuple(dict.fromkeys([ref for f in fired for ref in f.hit.refs])),
        sources=tuple(
            dict.fromkeys([*book.sources[agent], *[key for f in fired for key in book.sources_for[f.id, agent]]])
        ),
        described=case.grade in _DESCRIBED,
        fits=entry.fits,
        in_use=_in_use(agent, fired, book),
    )


def _in_use(agent: str, fired: list[Fired], book: Rulebook) -> InUse | None:
    """The rules that speak against an agent as it is taken. One that waits for a result is a danger where it speaks of
    another drug (colchicine with diltiazem, kidney function unknown)."""
    if not any(f.rule.when.agent == "active" for f in fired):
        return None
    dangers = [f for f in fired if not f.rule.of_order and (f.action != _WAITS or f.id in book.of_drugs)]
    dangers.sort(key=lambda f: (f.strictness, f.position))
    return InUse(
        tuple(dict.fromkeys([f.note for f in dangers])),
        tuple(dict.fromkeys([f.reported for f in dangers])),
        tuple(dict.fromkeys([ref for f in dangers for ref in f.hit.refs])),
        tuple(dict.fromkeys([key for f in dangers for key in book.sources_for[f.id, agent]])),
        any(f.action == "block" for f in dangers),
    )


def _decision(top: Fired | None, fired: list[Fired], fits: bool) -> TherapyDecision:
    """The contract word: where a rule fires its word stands; fitness speaks only where no rule does."""
    if top is None:
        return "offer" if fits else "not-indicated"
    if top.action == "block":
        only_failed = all(f.rule.when.agent == "failed" for f in fired if f.action == "block")
        return "not-indicated" if only_failed else "block"
    return "need" if top.action == "need" else "warn"


def _because(
    top: Fired | None,
    fired: list[Fired],
    therapy: Therapy,
    decision: TherapyDecision,
    phrases: Phrases,
) -> str:
    """The decisive reason with the fact behind it, in one sentence."""
    if top is None:
        if decision == "not-indicated":
            return phrases.unfit.format(name=therapy.name, reason=therapy.unfit)
        gate = next((f for f in fired if f.order_off), None)
        if gate is not None:
            return phrases.not_orderable.format(name=therapy.name, reason=gate.note)
        return phrases.offer.format(name=therapy.name, reason=therapy.extent)
    action = top.action
    key = "warn_off" if action == "warn" and top.order_off else action
    template: str = getattr(phrases, key)
    return template.format(name=therapy.name, reason=top.note)


def _cap(fired: Fired, therapy: Therapy) -> Cap | None:
    """The ceiling of a cap: the rule's own, or the lowest dose that the record calls tolerated."""
    if fired.rule.cap is not None:
        return fired.rule.cap
    doses = fired.hit.doses
    if not doses:
        return None
    amount, unit = min(doses)
    return Cap(text=f"{therapy.name} {amount.normalize():f} {unit}", amount=amount, unit=unit)
