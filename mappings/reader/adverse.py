"""AdverseEvent: what happened to the patient, and the drugs that are suspected of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mappings.drugs import DrugIds
from mappings.facts import Allergy
from mappings.reader.access import Concept, codes, concept, items, mapping, name_of, text, updated
from mappings.reader.context import Collected
from mappings.reader.identity import target
from mappings.reader.narrative import Source
from mappings.reader.sensitivity import add_allergy

_TAKEN_BACK = "entered-in-error"
_HAPPENED = ("actual", None)
_SEVERE = "severe"


def read(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    """An adverse event that took place as an adverse reaction to each suspected drug; where none is named, to the drug
    that its own words blame. One that nearly took place is left out and named."""
    if resource.get("status") == _TAKEN_BACK or resource.get("actuality") not in _HAPPENED:
        into.leave_out(ref, f"actuality {resource.get('actuality')}, status {resource.get('status')}")
        return
    event = concept(resource.get("event") or resource.get("code"))
    severe = _SEVERE in codes(resource.get("severity"))
    before = len(into.allergies)
    for name in _suspects(resource, into):
        found = DrugIds()
        for coding in name.codings:
            found = found | (into.tools.drugs.by_code(coding.system, coding.code) or DrugIds())
        for words in name.texts:
            for ids in into.tools.drugs.by_name(words):
                found = found | ids
        if found:
            into.allergies.append(
                Allergy(ref, name.label, drugs=found.drugs, classes=found.classes, severe=severe, reaction=event.label)
            )
    if len(into.allergies) == before:
        add_allergy(event, "", Source(ref, updated=updated(resource)), into)


def _suspects(resource: Mapping[str, Any], into: Collected) -> Iterator[Concept]:
    """What the suspected entities are called: by words or codes, or by the resource that they name."""
    for entity in map(mapping, items(resource.get("suspectEntity"))):
        coded = concept(entity.get("instanceCodeableConcept"))
        if coded.label:
            yield coded
        reference = mapping(entity.get("instance") or entity.get("instanceReference"))
        shown = text(reference.get("display"))
        if shown:
            yield concept({"text": shown})
        named = mapping(into.by_reference.get(target(reference.get("reference")) or ""))
        if named:
            yield concept(named.get("medicationCodeableConcept")) if "code" not in named else name_of(named)[0]
