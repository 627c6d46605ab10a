"""The clinical knowledge as data, and `load_knowledge`, which reads and checks all of it once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from msgspec import Struct

from hooks.knowledge.card_schema import Cards, Orderables, load_cards, load_orderables
from hooks.knowledge.criteria_schema import Criteria, load_criteria
from hooks.knowledge.evidence import EvidenceBase, load_evidence
from hooks.knowledge.messages import Messages, load_messages
from hooks.knowledge.mimics import Mimics, load_mimics
from hooks.knowledge.red_flags import RedFlags, load_red_flags
from hooks.knowledge.safety_schema import Safety, load_safety
from hooks.knowledge.therapy_schema import Therapies, load_therapies
from hooks.knowledge.workup_schema import WorkupRules, load_workup
from mappings.table_cache import kept


class Knowledge(Struct, frozen=True):
    """Everything the assessment and the cards rest on; `version` (SemVer) changes with any clinical change."""

    version: str
    criteria: Criteria
    messages: Messages
    red_flags: RedFlags
    mimics: Mimics
    evidence: EvidenceBase
    therapies: Therapies
    safety: Safety
    workup: WorkupRules
    cards: Cards
    orderables: Orderables


@cache
def load_knowledge(folder: Path | None = None) -> Knowledge:
    """Reads every knowledge file, ours or those of another folder; KnowledgeError names file and key that is wrong."""
    return kept("hooks", "mappings").get("knowledge", _load) if folder is None else _load(folder)


def _load(*where: Path) -> Knowledge:
    criteria = load_criteria(*where)
    return Knowledge(
        criteria.version,
        criteria,
        load_messages(*where),
        load_red_flags(*where),
        load_mimics(*where),
        load_evidence(*where),
        load_therapies(*where),
        load_safety(*where),
        load_workup(*where),
        load_cards(*where),
        load_orderables(*where),
    )
