"""order-select and order-sign: a drafted drug, biopsy or imaging order checked against the same rules.

Asked is only whether something speaks against the draft in a patient with known or suspected calcinosis; without that,
or when nothing speaks against it, the answer is silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hooks.assess import assess
from hooks.assessment.sites import regions
from hooks.cards.basis import basis
from hooks.cards.context import CardContext
from hooks.cards.detail import footer, join, lead, not_read, section, sources
from hooks.cards.markdown import escape, plain, shorten
from hooks.cards.phrases import summary
from hooks.cards.suggestions import needed_suggestions
from hooks.cards.voice import Voice
from hooks.cards.writer import build_card
from hooks.knowledge import Knowledge
from hooks.knowledge.therapy_schema import Therapy
from hooks.model import Assessment, TherapyItem
from hooks.therapy import Prompt, prompts
from mappings.facts import Action, Medication, PatientFacts

_CONFLICT = frozenset({"block", "need", "warn"})
_OPEN = ("offer", "warn")
_UNWANTED = frozenset({"avoid", "already-done", "already-ordered"})
_CODE = re.compile(r"[A-Z]?[0-9][A-Z0-9-]*")
_ORDER = ("block", "never", "avoid", "conflict", "need", "warn", "already-done", "already-ordered")


class Conflict(Struct, frozen=True):
    """One thing that speaks against one draft. `needs` are workup ids that come first."""

    order: str
    verdict: str
    because: str
    rules: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    cap: str | None = None
    evidence: tuple[str, ...] = ()
    therapy: str | None = None
    other: str | None = None
    workup: str | None = None
    sources: tuple[str, ...] = ()
    forbidden: bool = False
    """the agent beside it would be ruled out."""


def check_orders(
    assessment: Assessment, facts: PatientFacts, knowledge: Knowledge, context: CardContext
) -> list[dict[str, Any]]:
    """One card with every conflict of the drafts among `facts`, or []. `assessment` is that of the whole chart."""
    if assessment.grade == "none" or not context.for_clinician:
        return []
    bare = assess(_without_drafts(facts), knowledge, assessment.as_of)
    if bare.grade == "none":
        return []
    asked = _selected(facts, context)
    found = [
        *_drugs(asked, facts, bare, knowledge),
        *_prompted(asked, assessment, bare, knowledge),
        *_orders(asked, bare, knowledge),
    ]
    if not found:
        return []
    found.sort(key=lambda conflict: _ORDER.index(conflict.verdict))
    voice = Voice(bare, facts, knowledge, context)
    card = _card(voice, found)
    return [card] if card["source"]["topic"]["code"] not in context.suppress else []


def _without_drafts(facts: PatientFacts, *, keep: Iterable[Medication] = ()) -> PatientFacts:
    """The chart as it is without the drafts. An EHR may have stored a draft already: that copy goes too, or an order
    would be found "already ordered" by itself."""
    kept = set(keep)
    drafted = _draft_refs(facts)
    return replace(
        facts,
        medications=tuple(m for m in facts.medications if m.ref not in drafted or m in kept),
        actions=tuple(a for a in facts.actions if a.ref not in drafted),
    )


def _draft_refs(facts: PatientFacts) -> frozenset[str]:
    drugs = {drug.ref for drug in facts.medications if drug.draft}
    return frozenset(drugs | {action.ref for action in facts.actions if action.kind == "draft"})


def _selected(facts: PatientFacts, context: CardContext) -> PatientFacts:
    """With `selected` given, only those drafts are asked about; the others stand beside them. A selection that names
    none of the drafts is taken as no selection."""
    chosen = _draft_refs(facts) & (context.selected or frozenset())
    return replace(
        facts,
        medications=tuple(m for m in facts.medications if not chosen or not m.draft or m.ref in chosen),
        actions=tuple(a for a in facts.actions if not chosen or a.kind != "draft" or a.ref in chosen),
    )


def _drugs(asked: PatientFacts, facts: PatientFacts, bare: Assessment, knowledge: Knowledge) -> Iterator[Conflict]:
    """Drafted agents of ours by their own rules, the other drafts standing; and other drafts that an agent already on
    the list, or drafted beside them, does not go with."""
    every = [m for m in facts.medications if m.draft]
    drafts = [m for m in asked.medications if m.draft]
    listed = [m for m in facts.medications if not m.draft and m.goes_on(bare.as_of)]
    for draft in drafts:
        others = tuple(m for m in every if m is not draft)
        agents = [t for t in knowledge.therapies.therapies if _is(draft, t)] or _by_class(draft, knowledge)
        for therapy in agents:
            conflict = _own(draft, therapy, _without_drafts(facts, keep=others), bare, knowledge)
            if conflict is not None:
                yield conflict
        if not agents:
            yield from _beside(draft, [*listed, *(m for m in others if m not in drafts)], facts, bare, knowledge)


def _by_class(draft: Medication, knowledge: Knowledge) -> list[Therapy]:
    """A drug of the same class as an agent of ours is checked by that agent's rules (a bisphosphonate that the table
    does not name, say)."""
    for name, agents in knowledge.cards.order_checks.classes.items():
        if name in draft.classes:
            return [knowledge.therapies.get(agents.get(draft.route or "", agents["oral"]))]
    return []


def _own(
    draft: Medication, therapy: Therapy, facts: PatientFacts, bare: Assessment, knowledge: Knowledge
) -> Conflict | None:
    """What the rules of a drafted agent say. That the patient takes it already is no conflict (it is renewed), nor is
    what holds for every patient (a specialist's drug, a largest dose)."""
    renewed = replace(facts, medications=tuple(m for m in facts.medications if not _is(m, therapy)))
    items = bare.therapies if renewed == _without_drafts(facts) else assess(renewed, knowledge, bare.as_of).therapies
    item = next((i for i in items if i.id == therapy.id), None)
    if item is None:
        return None
    always = [rule.text for rule in knowledge.safety.rules if rule.id in knowledge.cards.order_checks.always]
    speaks = [note for note in item.notes if not note.startswith(tuple(always))]
    if not speaks or item.decision == "offer":
        return None
    verdict: str = "warn" if item.decision == "not-indicated" else item.decision
    if verdict == "block" and all(note.startswith(_never(therapy, knowledge)) for note in speaks):
        verdict = "never"
    name = therapy.name if _is(draft, therapy) else shorten(plain(draft.label), 40) or therapy.name
    return _of_item(name, verdict, item, therapy=therapy.id)


def _never(therapy: Therapy, knowledge: Knowledge) -> tuple[str, ...]:
    """What rules an agent out as a treatment of calcinosis whoever the patient is: it says nothing of this patient, who
    may need the drug for something else (warfarin)."""
    rules = knowledge.safety.rules
    return tuple(r.text for r in rules if r.action == "block" and r.when.always and therapy.id in r.agents)


def _beside(
    draft: Medication, taken: list[Medication], facts: PatientFacts, bare: Assessment, knowledge: Knowledge
) -> Iterator[Conflict]:
    """A draft that makes a rule fire for an agent that the patient takes or is about to (a dihydropyridine to
    diltiazem)."""
    agents = [t for t in knowledge.therapies.therapies if any(_is(m, t) for m in taken)]
    if not agents:
        return
    before = {i.id: i for i in bare.therapies}
    after = {i.id: i for i in assess(_without_drafts(facts, keep=(draft,)), knowledge, bare.as_of).therapies}
    for therapy in agents:
        old, new = before.get(therapy.id), after.get(therapy.id)
        if old is None or new is None or new.decision not in _CONFLICT:
            continue
        added = tuple(note for note in new.notes if note not in old.notes)
        rules = tuple(rule for rule in new.rules if rule not in old.rules)
        if added and rules:
            conflict = _of_item(_name(draft), "conflict", new, therapy=therapy.id, other=therapy.name)
            forbidden = _forbidden(new) and not _forbidden(old)
            yield replace(
                conflict, because=added[0], notes=added[1:], rules=rules, needs=(), cap=None, forbidden=forbidden
            )


def _prompted(asked: PatientFacts, whole: Assessment, bare: Assessment, knowledge: Knowledge) -> Iterator[Conflict]:
    """A draft that is no agent of ours but concerns the lesion itself (a vitamin K antagonist): the sentence of the
    table that it calls for. `whole` is the assessment with the drafts standing."""
    before = {prompt.rule for prompt in _prompts(bare, knowledge)}
    new = [prompt for prompt in _prompts(whole, knowledge) if prompt.rule not in before]
    for draft in (m for m in asked.medications if m.draft):
        if not any(_is(draft, therapy) for therapy in knowledge.therapies.therapies):
            for prompt in new:
                if draft.ref in prompt.evidence:
                    yield Conflict(_name(draft), "warn", prompt.text, (prompt.rule,), sources=prompt.sources)


def _prompts(assessment: Assessment, knowledge: Knowledge) -> tuple[Prompt, ...]:
    found = assessment.situation
    return prompts(found.view, knowledge) if found is not None else ()


def _forbidden(item: TherapyItem) -> bool:
    """Whether a rule forbids the agent, taken already or not. That it is taken forbids to offer it, and no more."""
    return item.in_use.forbidden if item.in_use is not None else item.decision == "block"


def _name(draft: Medication) -> str:
    """What the draft calls itself; where that is a bare code, the drug's own name."""
    label, known = shorten(plain(draft.label), 40), next(iter(sorted(draft.drugs)), "")
    return known if known and _CODE.fullmatch(label) else label or known


def _of_item(order: str, verdict: str, item: TherapyItem, *, therapy: str, other: str | None = None) -> Conflict:
    others = tuple(note for note in item.notes if note not in item.because)
    return Conflict(
        order, verdict, item.because, item.rules, others, item.needs, item.cap, item.evidence, therapy, other
    )


def _is(drug: Medication, therapy: Therapy) -> bool:
    known = set(therapy.drugs) & drug.drugs or set(therapy.drug_classes) & drug.classes
    return bool(known) and (not therapy.routes or drug.route is None or drug.route in therapy.routes)


def _orders(facts: PatientFacts, bare: Assessment, knowledge: Knowledge) -> Iterator[Conflict]:
    """Drafted imaging and biopsies of the lesion that are better avoided, or already done or ordered."""
    checked = set(knowledge.cards.order_checks.workup)
    items = {item.id: item for item in bare.workup}
    lesion = regions(bare.criteria.lesion.body_sites)
    for action in facts.actions:
        if action.kind != "draft":
            continue
        for workup in sorted(action.workup & checked):
            item = items.get(workup)
            if item is None or not _concerns(action, item.decision, lesion):
                continue
            name = knowledge.orderables.name(workup)
            if item.decision in _UNWANTED:
                yield Conflict(name, item.decision, item.because, evidence=item.evidence, workup=workup)
            elif item.cautions:
                first, *more = item.cautions
                yield Conflict(name, "warn", first, notes=tuple(more), evidence=item.evidence, workup=workup)


def _concerns(action: Action, decision: str, lesion: frozenset[str]) -> bool:
    """An order of another site is none of our business; one without a site only where something speaks against it."""
    if action.sites:
        return bool(regions(action.sites) & lesion)
    return decision not in ("already-done", "already-ordered")


def _card(voice: Voice, found: list[Conflict]) -> dict[str, Any]:
    first, say = found[0], voice.cards.say
    verdict = voice.cards.verdicts[first.verdict].format(other=first.other or "")
    more = say("order_more", count=len(found) - 1) if len(found) > 1 else ""
    values = {"order": first.order, "verdict": verdict, "more": more}
    text = join(
        lead("order", voice, **{key: escape(value) for key, value in values.items()}),
        section(voice, "conflict", (line for conflict in found for line in _lines(voice, conflict))),
        section(voice, "alternative_orders", _alternatives(voice, found)),
        section(voice, "why", basis(voice)),
        section(voice, "not_read", not_read(voice)),
        sources(voice),
        footer(voice),
    )
    needed = {need: say("needed_first", order=c.order) for c in reversed(found) for need in c.needs}
    card = build_card(voice, "order", summary("order", voice, **values), text, list(needed_suggestions(voice, needed)))
    warns = any(c.forbidden or c.verdict in voice.cards.order_checks.warning for c in found)
    card["indicator"] = "warning" if warns else voice.cards.kinds["order"].indicator
    return card


def _lines(voice: Voice, conflict: Conflict) -> Iterator[tuple[str, tuple[str, ...]]]:
    say = voice.cards.say
    because = voice.verdict(conflict.because, conflict.evidence)
    parts = [say("order_conflict", order=escape(conflict.order), because=because)]
    if conflict.needs:
        parts.append(say("needs", items=", ".join(escape(voice.order_name(need)) for need in conflict.needs)))
    if conflict.cap:
        parts.append(say("cap", cap=escape(conflict.cap)))
    notes = conflict.notes[: voice.cards.limits["notes"]]
    if notes and not voice.reveals(conflict.evidence):
        parts.append(say("also", notes=" ".join(voice.sentence(note) for note in notes)))
    if conflict.rules:
        parts.append(f"({say('rules', rules=', '.join(conflict.rules))})")
    agents = (conflict.therapy,) if conflict.therapy else ()
    told = conflict.sources[: voice.cards.limits["sources"]]
    yield " ".join(parts), told or voice.decisive(conflict.because, conflict.rules, agents)[1]
    own = voice.cards.order_checks.notes.get(conflict.therapy or "")
    if own is not None and conflict.other is None:
        yield own.text, own.sources


def _alternatives(voice: Voice, found: list[Conflict]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Other options with nothing against them, then those with care, at most three; a drug gets a word anyhow."""
    yield from _instead(voice, found)
    drafted = {conflict.therapy for conflict in found}
    if drafted == {None}:
        return
    open_ones = [i for i in voice.assessment.therapies if i.fits and i.id not in drafted and i.decision in _OPEN]
    open_ones.sort(key=lambda item: _OPEN.index(item.decision))
    for item in open_ones[: voice.cards.limits["therapies"]]:
        therapy = voice.knowledge.therapies.get(item.id)
        because = voice.verdict(item.because, item.evidence)
        yield voice.cards.say("therapy", name=voice.therapy_name(item.id), because=because), therapy.sources[:1]
    if not open_ones:
        yield voice.cards.say("no_alternative"), ()


def _instead(voice: Voice, found: list[Conflict]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What may be ordered in place of an examination that had better be avoided, where that is not avoided too."""
    decisions = {item.id: item.decision for item in voice.assessment.workup}
    for conflict in found:
        if conflict.verdict != "avoid" or conflict.workup is None:
            continue
        others = voice.cards.order_checks.instead.get(conflict.workup, ())
        names = [voice.order_name(o) for o in others if decisions.get(o) in ("offer", "not-indicated", "already-done")]
        if names:
            yield voice.cards.say("instead", order=escape(conflict.order), names=escape(", ".join(names))), ()
