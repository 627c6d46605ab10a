"""Suggestions: one order or one finding each, one create action, nothing pre-selected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from hooks.cards.markdown import plain
from hooks.cards.question import Asked
from hooks.cards.voice import Voice
from hooks.dialects.schema import load_dialects
from hooks.drafts import finding, medication_request, service_request
from hooks.model import TherapyItem, WorkupItem
from mappings.codelists import Coding, load_terminology
from mappings.facts import Site

Suggestion = dict[str, Any]
_WHOLE = ""
"""the part that is all of a workup id."""


class Order(Struct, frozen=True):
    """One order of a workup id: the whole of it, or the analyte that it is a part of."""

    part: str
    name: str
    codings: tuple[Coding, ...]


def offered_orders(voice: Voice) -> list[WorkupItem]:
    """The offered orders, those that matter most first: raised by a red flag, missing, waited for, routine."""
    if "offered" not in voice.memory:
        voice.memory["offered"] = _offered(voice)
    found: list[WorkupItem] = voice.memory["offered"]
    return found


def _offered(voice: Voice) -> list[WorkupItem]:
    ranks, missing = voice.cards.order_ranks, voice.assessment.missing

    def rank(item: WorkupItem) -> tuple[int, int]:
        if item.id in ranks.first and voice.assessment.red_flags:
            return 0, ranks.first.index(item.id)
        if item.id in missing:
            return 1, missing.index(item.id)
        return (2, ranks.next.index(item.id)) if item.id in ranks.next else (3, 0)

    return sorted((item for item in voice.assessment.workup if item.decision == "offer"), key=rank)


def workup_suggestions(voice: Voice) -> Iterator[Suggestion]:
    """A draft for each of the first orders that have a code; what is already drafted is not suggested again."""
    for item in drafted_here(voice):
        yield from _drafted(voice, item, voice.sentence_plain(item.because, item.evidence))


def drafted_here(voice: Voice) -> list[WorkupItem]:
    """The offered orders that this card has a draft for, as many as a card holds."""
    return _draftable(voice)[: voice.cards.limits["orders"]]


def _draftable(voice: Voice) -> list[WorkupItem]:
    if "draftable" not in voice.memory:
        voice.memory["draftable"] = [item for item in offered_orders(voice) if _can_draft(voice, item)]
    found: list[WorkupItem] = voice.memory["draftable"]
    return found


def without_draft(voice: Voice) -> list[str]:
    """Names of the offered orders that could be drafted but have no room on this card."""
    return [voice.order_name(item.id) for item in _draftable(voice)[voice.cards.limits["orders"] :]]


def _can_draft(voice: Voice, item: WorkupItem) -> bool:
    return bool(_undrafted(voice, item.id))


def _undrafted(voice: Voice, workup: str) -> tuple[Order, ...]:
    """Its orders without those that are drafted already; a draft that names no part is of all of it."""
    if "drafted" not in voice.memory:
        drafted: dict[str, set[str]] = {}
        for action in voice.facts.actions:
            for ordered in action.workup if action.kind == "draft" else ():
                drafted.setdefault(ordered, set()).update(action.parts or {_WHOLE})
        voice.memory["drafted"] = drafted
    there: set[str] | None = voice.memory["drafted"].get(workup)
    orders = orders_of(voice, workup)
    if there is None:
        return orders
    return () if _WHOLE in there else tuple(order for order in orders if order.part and order.part not in there)


def needed_suggestions(voice: Voice, needed: Mapping[str, str]) -> Iterator[Suggestion]:
    """Drafts of what has to come before a drug: workup id -> reason. Nothing that is done, ordered or to be avoided."""
    for item in voice.assessment.workup:
        if item.id in needed and item.decision in ("offer", "not-indicated"):
            yield from _drafted(voice, item, needed[item.id])


def _drafted(voice: Voice, item: WorkupItem, because: str) -> Iterator[Suggestion]:
    for order in _undrafted(voice, item.id):
        yield _order(voice, item, order, because)


def orders_of(voice: Voice, workup: str) -> tuple[Order, ...]:
    """The orders that are all of a workup id, mostly one: with the tenant's codings, else the verified ones; none when
    this client can order by none of them."""
    key = ("order", workup)
    found: tuple[Order, ...] | None = voice.memory.get(key)
    if found is None:
        found = voice.memory[key] = tuple(order for order in _orders(voice, workup) if order.codings)
    return found


def _orders(voice: Voice, workup: str) -> Iterator[Order]:
    name, own, terms = voice.order_name(workup), voice.context.orderables.get(workup), load_terminology()
    parts = terms.parts(workup)
    if own or not parts:
        yield Order(_WHOLE, name, _usable(voice, own if own else terms.codings(workup, voice.context.units)))
        return
    names = voice.knowledge.orderables.workup[workup].parts
    for part in parts:
        yield Order(part, names[part], _usable(voice, terms.codings(workup, voice.context.units, part)))


def drug_codings(voice: Voice, therapy: str) -> tuple[Coding, ...]:
    """The same of a drug."""
    own = voice.context.orderables.get(therapy)
    return _usable(voice, own if own else voice.knowledge.orderables.drug_codings.get(therapy, ()))


def _usable(voice: Voice, codings: tuple[Coding, ...]) -> tuple[Coding, ...]:
    systems = load_dialects().get(voice.context.dialect).systems
    return codings if not systems or any(coding.system in systems for coding in codings) else ()


def unmapped(voice: Voice) -> list[str]:
    """Names of offered orders that no code is known for."""
    return [
        voice.order_name(item.id)
        for item in voice.assessment.workup
        if item.decision == "offer" and not orders_of(voice, item.id)
    ]


def unmapped_options(voice: Voice, shown: Iterable[TherapyItem]) -> list[str]:
    """Names of the shown drugs that the rules let be drafted but that no code is known for."""
    drugs = [item for item in shown if item.orderable and voice.knowledge.therapies.get(item.id).group == "drug"]
    return [voice.therapy_name(item.id) for item in drugs if not drug_codings(voice, item.id)]


def _order(voice: Voice, item: WorkupItem, order: Order, because: str) -> Suggestion:
    say = voice.cards.say
    entry = voice.knowledge.orderables.workup.get(item.id)
    sites: tuple[Site, ...] = ()
    if entry is not None and entry.at_lesion:
        sites = item.sites if item.sites and not voice.hidden else voice.body_sites
    where = voice.sites_plain(sites, voice.cards.limits["sites"])
    at = f" ({where})" if where else ""
    name = order.name
    resource = service_request(
        voice.assessment,
        name,
        order.codings,
        say("order_note"),
        sites=[(site, voice.site_plain(site)) for site in dict.fromkeys(sites)],
        encounter_id=voice.context.encounter_id,
    )
    return _suggestion(
        voice,
        say("order_label", name=name, at=at),
        say("order_description", name=name, at=at, because=because),
        resource,
    )


def therapy_suggestions(voice: Voice, shown: tuple[TherapyItem, ...]) -> Iterator[Suggestion]:
    """Only what the safety rules leave orderable, with a dose and a code, and what is not drafted already. A procedure
    is the order of a service: a code of ours is known for none, a hospital may have one."""
    say = voice.cards.say
    for item in shown:
        therapy = voice.knowledge.therapies.get(item.id)
        codings = drug_codings(voice, item.id)
        if not item.orderable or therapy.draft is None or not codings:
            continue
        if therapy.group == "procedure":
            yield from _procedure(voice, item, therapy.name, therapy.draft.text, codings)
            continue
        if any(m.draft and m.drugs & set(therapy.drugs) for m in voice.facts.medications):
            continue
        dose = therapy.draft.text + (f" ({say('cap', cap=item.cap)})" if item.cap else "")
        note = say("medication_note")
        resource = medication_request(
            voice.assessment, therapy.name, codings, dose, note, encounter_id=voice.context.encounter_id
        )
        label = say("medication_label", name=therapy.name)
        yield _suggestion(voice, label, say("medication_description", name=therapy.name, dose=dose), resource)


def _procedure(
    voice: Voice, item: TherapyItem, name: str, text: str, codings: tuple[Coding, ...]
) -> Iterator[Suggestion]:
    """Nothing when it is drafted or ordered already, by our name or the hospital's. `text`: what is asked for."""
    names = {name.casefold(), *(coding.display.casefold() for coding in codings)} - {""}
    if any(action.kind != "done" and action.label.casefold() in names for action in voice.facts.actions):
        return
    say, sites = voice.cards.say, voice.body_sites
    where = voice.sites_plain(sites, voice.cards.limits["sites"])
    at = f" ({where})" if where else ""
    resource = service_request(
        voice.assessment,
        name,
        codings,
        say("procedure_note", text=text),
        sites=[(site, voice.site_plain(site)) for site in dict.fromkeys(sites)],
        encounter_id=voice.context.encounter_id,
    )
    because = voice.sentence_plain(item.because, item.evidence)
    description = say("order_description", name=name, at=at, because=because)
    yield _suggestion(voice, say("order_label", name=name, at=at), description, resource)


def finding_suggestions(voice: Voice, asked: Asked | None) -> Iterator[Suggestion]:
    """The answers of the card's question, to be recorded by accepting one."""
    if asked is None:
        return
    say = voice.cards.say
    site = (asked.site, voice.site_plain(asked.site)) if asked.site else None
    at = f" ({site[1]})" if site else ""
    for answer in asked.answers:
        resource = finding(
            voice.assessment,
            (asked.question.code, voice.cards.conversation.code),
            (answer.value.format(**asked.words), answer.coding),
            say("observation_note"),
            site,
            encounter_id=voice.context.encounter_id,
            performer=voice.context.user,
        )
        description = say("record_description", answer=answer.label, at=at)
        yield _suggestion(voice, say("record_label", answer=answer.label), description, resource)


def _suggestion(voice: Voice, label: str, description: str, resource: dict[str, Any]) -> Suggestion:
    return {
        "label": plain(label),
        "uuid": voice.context.new_uuid(),
        "actions": [{"type": "create", "description": plain(description), "resource": resource}],
    }
