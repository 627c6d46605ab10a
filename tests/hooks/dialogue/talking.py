"""Dialogues over real readers and knowledge."""

from __future__ import annotations

from hooks.dialogue import Dialogue, nobody
from hooks.knowledge import load_knowledge
from hooks.knowledge.dialogue_schema import load_dialogue
from mappings.facts import PatientFacts
from mappings.raw import RawChart
from tests.charts import TODAY, chart, reader

DATA = load_dialogue()


def read(patient_id: str, resources: tuple[dict, ...]) -> PatientFacts:
    return reader().read(RawChart(patient_id, resources))


def talk(table: str | None) -> Dialogue:
    """The dialogue of a chart table; of nobody without one."""
    facts = nobody() if table is None else reader().read(chart(table).raw())
    return Dialogue(facts, DATA, load_knowledge(), read, TODAY)
