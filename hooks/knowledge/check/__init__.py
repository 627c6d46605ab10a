"""What is wrong with the knowledge, file and key named: all of it at once, not only the first.

Schemas first (a file that does not load is named and ends the check), then what no schema can see: keys that stand
twice, citations and ids that lead nowhere, unverified entries that would allow something, numbers that contradict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hooks.knowledge import load_knowledge
from hooks.knowledge.base import FOLDER, KnowledgeError
from hooks.knowledge.card_schema import load_cards, load_orderables, load_override_reasons
from hooks.knowledge.check.caution import incautious
from hooks.knowledge.check.known import Known
from hooks.knowledge.check.limits import wrong_limits
from hooks.knowledge.check.references import wrong_references
from hooks.knowledge.check.texts import doubled_keys, wrong_blanks, wrong_numbers
from hooks.knowledge.criteria_schema import load_criteria
from hooks.knowledge.dialogue_schema import load_dialogue
from hooks.knowledge.evidence import load_evidence
from hooks.knowledge.messages import load_messages
from hooks.knowledge.mimics import load_mimics
from hooks.knowledge.red_flags import load_red_flags
from hooks.knowledge.safety_schema import load_safety
from hooks.knowledge.therapy_schema import load_therapies
from hooks.knowledge.workup_schema import load_workup
from mappings.codelists import Terminology, load_terminology

_LOADERS: tuple[Callable[[Path], Any], ...] = (
    load_criteria,
    load_messages,
    load_red_flags,
    load_mimics,
    load_evidence,
    load_therapies,
    load_safety,
    load_workup,
    load_cards,
    load_orderables,
    load_override_reasons,
    load_dialogue,
)


def problems(folder: Path = FOLDER, terminology: Terminology | None = None) -> Iterator[KnowledgeError]:
    """Every problem of the knowledge files in `folder`; nothing when all is well."""
    unreadable = list(_unreadable(folder))
    if unreadable:
        yield from unreadable
        return
    yield from doubled_keys(folder)
    knowledge = load_knowledge(None if folder == FOLDER else folder)
    known = Known.of(terminology or load_terminology())
    yield from wrong_references(knowledge, known, load_dialogue(folder))
    yield from incautious(knowledge, known)
    yield from wrong_limits(knowledge)
    yield from wrong_blanks(knowledge)
    yield from wrong_numbers(knowledge)


def _unreadable(folder: Path) -> Iterator[KnowledgeError]:
    for load in _LOADERS:
        try:
            load(folder)
        except KnowledgeError as error:
            yield error
