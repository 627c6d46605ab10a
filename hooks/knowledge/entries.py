"""Every entry of the knowledge with the file and key where it stands: for checks, and for pages about the knowledge."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from pydantic import BaseModel

from hooks.knowledge import Knowledge
from hooks.knowledge.dialogue_schema import DialogueData


class Entry(Struct, frozen=True):
    """One object of the data; `key` is the path to it, list items by their id ("ctd.diagnoses.morphea")."""

    file: str
    key: str
    value: BaseModel

    def at(self, field: str) -> str:
        return f"{self.key}.{field}" if self.key else field


def entries(knowledge: Knowledge, dialogue: DialogueData | None = None) -> Iterator[Entry]:
    """Every object of every file, the outer before the inner; with `dialogue` its questions too."""
    if dialogue is not None:
        yield from _walk("dialogue.yaml", "", dialogue)
    for file, value in (
        ("criteria.yaml", knowledge.criteria),
        ("messages.yaml", knowledge.messages),
        ("red_flags.yaml", knowledge.red_flags),
        ("mimics.yaml", knowledge.mimics),
        ("therapies.yaml", knowledge.therapies),
        ("workup.yaml", knowledge.workup),
        ("cards.yaml", knowledge.cards),
        ("orderables.yaml", knowledge.orderables),
        ("evidence.yaml", knowledge.evidence),
        ("safety/conditions.yaml", knowledge.safety.vocabulary),
    ):
        yield from _walk(file, "", value)
    for rule in knowledge.safety.rules:
        yield from _walk(knowledge.safety.files.get(rule.id, "safety"), f"rules.{rule.id}", rule)


def _walk(file: str, key: str, value: object) -> Iterator[Entry]:
    if isinstance(value, BaseModel):
        yield Entry(file, key, value)
        for name in type(value).model_fields:
            yield from _walk(file, f"{key}.{name}" if key else name, getattr(value, name))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _walk(file, f"{key}.{name}", item)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _walk(file, f"{key}.{getattr(item, 'id', index)}", item)
