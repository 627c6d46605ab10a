"""A dialogue over the service's own reader and knowledge."""

from __future__ import annotations

from datetime import date

from cds_service.pipeline import Brain
from hooks.dialogue import Dialogue
from hooks.knowledge.dialogue_schema import DialogueData, load_dialogue
from mappings.facts import PatientFacts
from mappings.raw import RawChart, Resource


def dialogue(brain: Brain, facts: PatientFacts, as_of: date | None = None) -> Dialogue:
    """The dialogue about these facts on this day."""

    def read(patient_id: str, resources: tuple[Resource, ...]) -> PatientFacts:
        return brain.reader.read(RawChart(patient_id, resources))

    return Dialogue(facts, questions(), brain.knowledge, read, as_of or brain.today())


def questions() -> DialogueData:
    return load_dialogue()
