"""Cards: what we say about an assessment, within every rule of CDS Hooks 2.0.1."""

from hooks.cards.context import CardContext
from hooks.cards.writer import write_cards

__all__ = ["CardContext", "write_cards"]
