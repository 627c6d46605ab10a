"""Answers as the records that the chart would hold: FHIR R4 resources, in our own words, with the clinician's date.

They are read by the chart's own reader, so an answer counts now exactly as its record will once it is saved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from hooks.knowledge.dialogue_schema import UNKNOWN, Choice, DialogueData, Question, RecordText
from mappings import systems
from mappings.facts import Hardness, Lesion, Site

Resource = dict[str, Any]
Given = Mapping[str, tuple[str, ...]]
"""question id -> answer ids (`UNKNOWN` alone for "don't know"), or the one number as text."""

PREFIX = "answer-"
"""ids of unsaved answers start with it, so that evidence from the dialogue is told from the chart's."""
SAVED = "Observation"
"""the only resource that an answer may be saved as; a diagnosis, drug or result is the chart's own business."""


class Subject(Struct, frozen=True):
    """The patient, the day, and the lesion that is spoken of (None: none on record)."""

    patient: str
    as_of: date
    lesion: Lesion | None = None

    @property
    def site(self) -> Site | None:
        sites = self.lesion.sites if self.lesion else ()
        return sites[0] if len(sites) == 1 else None


def records(data: DialogueData, given: Given, subject: Subject) -> tuple[Resource, ...]:
    """The resources of all answers, in the order of the questions."""
    words = _Words(data, given, subject)
    return tuple(resource for question in data.questions for resource in words.of(question))


class _Words:
    """How the lesion is called and where it is, once all answers are taken together."""

    def __init__(self, data: DialogueData, given: Given, subject: Subject) -> None:
        self._data, self._given, self._subject = data, given, subject
        chosen = [choice for question in data.questions for choice in chosen_of(question, given)]
        kind = next((c.noun for c in chosen if c.noun), subject.lesion.kind if subject.lesion else None)
        told: Hardness | None = next((c.hardness for c in chosen if c.hardness), None)
        hardness: Hardness = told or (subject.lesion.hardness if subject.lesion else "unstated")
        self.kind = data.nouns.kinds.get(kind or "", data.nouns.other)
        self.noun = data.nouns.hardness[hardness].format(kind=self.kind)
        sites = next((q for q in data.questions if q.kind == "sites"), None)
        self.places = tuple(c.label for c in chosen_of(sites, given)) if sites else ()

    def of(self, question: Question) -> Iterator[Resource]:
        values = self._given.get(question.id, ())
        if not values or UNKNOWN in values:
            return
        if question.kind == "number" and question.record is not None:
            yield self._resource(question.record, f"{question.id}", values[0], self._place())
        elif question.kind == "sites" and question.record is not None:
            for choice in chosen_of(question, self._given):
                yield self._resource(question.record, f"{question.id}-{choice.id}", "", choice.label)
        else:
            for choice in chosen_of(question, self._given):
                for index, record in enumerate(choice.records):
                    yield self._resource(record, f"{question.id}-{choice.id}-{index}", "", self._place())

    def _place(self) -> Site | str | None:
        """Where an answer about the lesion belongs: the region that was named, else the chart's own site."""
        return self.places[0] if self.places else self._subject.site

    def _resource(self, record: RecordText, key: str, value: str, place: Site | str | None) -> Resource:
        day = self._subject.as_of.isoformat()
        text = record.value.format(noun=self.noun, kind=self.kind, value=value)
        head: Resource = {"id": f"{PREFIX}{key}"[:64], "subject": {"reference": self._subject.patient}}
        if record.as_ == "condition":
            began = f"{self._subject.as_of.year - int(value):04d}" if record.onset and value else None
            return {
                "resourceType": "Condition",
                **head,
                "code": {"text": text},
                "recordedDate": day,
                **({"onsetDateTime": began} if began else {}),
            }
        if record.as_ == "medication":
            return {
                "resourceType": "MedicationStatement",
                **head,
                "status": "active",
                "medicationCodeableConcept": {"text": text},
                "effectiveDateTime": day,
            }
        if record.as_ == "result":
            return {**self._observation(head, day, "laboratory", {"text": record.code or ""}), "valueString": text}
        code = self._data.code
        about: Resource = (
            {"coding": [code.model_dump()], "text": code.display}
            if record.as_ == "lesion"
            else {"text": record.code or self._data.history}
        )
        found = {**self._observation(head, day, "exam", about), "valueCodeableConcept": {"text": text}}
        if record.as_ == "lesion" and place is not None:
            found["bodySite"] = _body_site(place)
        return found

    @staticmethod
    def _observation(head: Resource, day: str, category: str, code: Resource) -> Resource:
        return {
            "resourceType": "Observation",
            **head,
            "status": "final",
            "category": [{"coding": [{"system": systems.OBSERVATION_CATEGORY, "code": category}]}],
            "code": code,
            "effectiveDateTime": day,
        }


def chosen_of(question: Question, given: Given) -> tuple[Choice, ...]:
    """The choices that were given, in the order of the question."""
    values = given.get(question.id, ())
    return tuple(choice for choice in question.answers if choice.id in values)


def _body_site(place: Site | str) -> Resource:
    """The region named by the clinician in words, or the chart's own site with its code when it had one."""
    if isinstance(place, str):
        return {"text": place}
    words = place.display or f"{place.laterality or ''} {place.place.replace('-', ' ')}".strip()
    body: Resource = {"text": words}
    if place.code:
        body["coding"] = [{"system": "http://snomed.info/sct", "code": place.code}]
    return body
