"""Suggestions: one order or one finding each, one create action, nothing pre-selected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hooks.cards.markdown import plain
from hooks.cards.voice import Voice
from hooks.drafts import finding, medication_request, service_request
from hooks.model import TherapyItem, WorkupItem
from mappings.codelists import Coding, load_terminology
from mappings.facts import Site

Suggestion = dict[str, Any]


def workup_suggestions(voice: Voice) -> Iterator[Suggestion]:
    """One draft per offered order that has a code; what is already drafted is not suggested again."""
    for item in voice.assessment.workup:
        if item.decision == "offer":
            yield from _drafted(voice, item, voice.sentence_plain(item.because, item.evidence))


def needed_suggestions(voice: Voice, needed: Mapping[str, str]) -> Iterator[Suggestion]:
    """Drafts of what has to come before a drug: workup id -> reason. Nothing that is done, ordered or to be avoided."""
    for item in voice.assessment.workup:
        if item.id in needed and item.decision in ("offer", "not-indicated"):
            yield from _drafted(voice, item, needed[item.id])


def _drafted(voice: Voice, item: WorkupItem, because: str) -> Iterator[Suggestion]:
    drafted = any(action.kind == "draft" and item.id in action.workup for action in voice.facts.actions)
    codings = () if drafted else order_codings(voice, item.id)
    if codings:
        yield _order(voice, item, codings, because)


def order_codings(voice: Voice, workup: str) -> tuple[Coding, ...]:
    """The tenant's codings of an order, else the verified ones; none means: text only."""
    own = voice.context.orderables.get(workup)
    return own if own else load_terminology().codings(workup, voice.context.units)


def unmapped(voice: Voice) -> list[str]:
    """Names of offered orders that no code is known for."""
    return [
        voice.order_name(item.id)
        for item in voice.assessment.workup
        if item.decision == "offer" and not order_codings(voice, item.id)
    ]


def _order(voice: Voice, item: WorkupItem, codings: tuple[Coding, ...], because: str) -> Suggestion:
    say = voice.cards.say
    entry = voice.knowledge.orderables.workup.get(item.id)
    sites: tuple[Site, ...] = ()
    if entry is not None and entry.at_lesion:
        sites = item.sites if item.sites and not voice.hidden else voice.body_sites
    where = voice.sites_plain(sites, voice.cards.limits["sites"])
    at = f" ({where})" if where else ""
    name = voice.order_name(item.id)
    resource = service_request(
        voice.assessment,
        name,
        codings,
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
    """Only what the safety rules leave orderable, with a dose and a code, and what is not drafted already."""
    say = voice.cards.say
    for item in shown:
        therapy = voice.knowledge.therapies.get(item.id)
        taken = [m for m in voice.facts.medications if m.draft and m.drugs & set(therapy.drugs)]
        codings = voice.context.orderables.get(item.id) or voice.knowledge.orderables.drug_codings.get(item.id, ())
        if not item.orderable or therapy.draft is None or not codings or taken:
            continue
        dose = therapy.draft.text + (f" ({say('cap', cap=item.cap)})" if item.cap else "")
        note = say("medication_note")
        resource = medication_request(
            voice.assessment, therapy.name, codings, dose, note, encounter_id=voice.context.encounter_id
        )
        label = say("medication_label", name=therapy.name)
        yield _suggestion(voice, label, say("medication_description", name=therapy.name, dose=dose), resource)


def finding_suggestions(voice: Voice) -> Iterator[Suggestion]:
    """Findings whose answer would change the grade, to be recorded by accepting."""
    assessment, say = voice.assessment, voice.cards.say
    sites = voice.body_sites
    site = (sites[0], voice.site_plain(sites[0])) if len(sites) == 1 else None
    where = voice.sites_plain(sites, voice.cards.limits["sites"])
    for question in voice.cards.questions:
        if assessment.card not in question.cards or assessment.criteria.lesion.hardness not in question.hardness:
            continue
        for answer in question.answers:
            resource = finding(
                assessment, question.code, answer.value, say("observation_note"), site, voice.context.encounter_id
            )
            description = say("record_description", answer=answer.label, at=f" ({where})" if where else "")
            yield _suggestion(voice, say("record_label", answer=answer.label), description, resource)


def _suggestion(voice: Voice, label: str, description: str, resource: dict[str, Any]) -> Suggestion:
    return {
        "label": plain(label),
        "uuid": voice.context.new_uuid(),
        "actions": [{"type": "create", "description": plain(description), "resource": resource}],
    }
