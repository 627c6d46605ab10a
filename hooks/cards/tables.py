"""Look-ups that cards make in the knowledge, made once for each knowledge."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from hooks.knowledge import Knowledge
from hooks.knowledge.safety_schema import CARD_TEXT, Rule

Sources = tuple[str, ...]
_REASON = ": {reason}"


class Tables(Struct, frozen=True):
    """`rules`, each with its sentence, by the id that is reported; `notes`: how one begins, with its sources; `mimics`
    by the id on a card."""

    said_with_source: Mapping[str, Sources]
    rules: Mapping[str, list[tuple[str, Rule]]]
    notes: tuple[tuple[str, Sources], ...]
    mimics: Mapping[str, Sources]
    verdicts: tuple[str, ...]
    """how the reasons of options begin that say what was decided."""


_MADE: dict[int, tuple[Knowledge, Tables]] = {}


def tables(knowledge: Knowledge) -> Tables:
    """The tables of this knowledge (which is kept, so that its id is never used again)."""
    found = _MADE.get(id(knowledge))
    if found is None:
        found = _MADE[id(knowledge)] = knowledge, _made(knowledge)
    return found[1]


def _made(knowledge: Knowledge) -> Tables:
    rules: dict[str, list[tuple[str, Rule]]] = {}
    for rule in knowledge.safety.rules:
        rules.setdefault(rule.reported, []).append((rule.text, rule))
    notes = [(f"{d.name}:", d.sources) for d in knowledge.criteria.ctd.diagnoses]
    notes += [(rule.text, rule.sources) for rule in knowledge.safety.rules if CARD_TEXT in rule.agents]
    return Tables(
        {m.text: m.sources for m in knowledge.messages.messages.values() if m.sources},
        rules,
        tuple(notes),
        {mimic.contract_id or mimic.id: mimic.sources for mimic in knowledge.mimics.mimics},
        tuple(phrase for phrase in knowledge.therapies.phrases.model_dump().values() if phrase.endswith(_REASON)),
    )
