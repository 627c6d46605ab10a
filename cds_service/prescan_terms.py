"""What raw bytes are looked through for: the connective tissue diseases, as the criteria list them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks.knowledge import Knowledge
from mappings.codelists import Terminology
from mappings.prescan import Prescan

if TYPE_CHECKING:
    from mappings.text.engine import TextEngine


def prescan_of(terminology: Terminology, text: TextEngine, knowledge: Knowledge) -> Prescan:
    """Not compiled yet. Nobody is a candidate, and no card is shown, without one of these diseases."""
    return Prescan(terminology, text.vocabularies, knowledge.criteria.ctd.concepts)
