"""The answer of one hook: which writer speaks, and the client's dialect. The same brain stands behind all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hooks.cards import CardContext, write_cards
from hooks.dialects import adapt
from hooks.knowledge import Knowledge
from hooks.model import Assessment
from hooks.order_check import check_orders
from mappings.facts import PatientFacts

Card = dict[str, Any]
Writer = Callable[[Assessment, PatientFacts, Knowledge, CardContext], list[Card]]

WRITERS: Mapping[str, Writer] = {
    "patient-view": write_cards,
    "encounter-start": write_cards,
    "order-select": check_orders,
    "order-sign": check_orders,
}


def answer(
    hook: str, assessment: Assessment, facts: PatientFacts, knowledge: Knowledge, context: CardContext
) -> list[Card]:
    """The cards for a hook in the dialect of `context`; KeyError for a hook that is none of ours."""
    return adapt(WRITERS[hook](assessment, facts, knowledge, context), context.dialect)
