"""What is kept of an evaluation: codes, ids of our own and bands; no words of the chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from cds_service.store import CardRecord, SuggestionRecord
from hooks.model import Assessment
from mappings.dates import PartialDate

Card = dict[str, Any]
_AGE_BANDS = (("0-17", 18), ("18-39", 40), ("40-64", 65))
_OLDEST = "65+"


def decisions_of(assessment: Assessment, written: Sequence[Card]) -> tuple[str, ...]:
    return (
        *(f"card:{topic_of(card)}" for card in written),
        *(f"workup:{item.id}={item.decision}" for item in assessment.workup),
        *(f"therapy:{item.id}={item.decision}" for item in assessment.therapies),
    )


def card_record(card: Card, material: frozenset[str]) -> CardRecord:
    return CardRecord(
        card["uuid"],
        topic_of(card),
        material,
        tuple(SuggestionRecord(s["uuid"], _what(s)) for s in card.get("suggestions", ())),
    )


def _what(suggestion: dict[str, Any]) -> str:
    """Resource type of the draft and our own name of what it is for; no words of the chart."""
    for action in suggestion.get("actions", ()):
        resource = action.get("resource", {})
        concept = resource.get("code") or resource.get("medicationCodeableConcept") or {}
        return f"{resource.get('resourceType')} {concept.get('text', '')}".strip()
    return "-"


def age_band(born: PartialDate | None, day: date) -> str:
    """The age in bands as wide as the committee report needs them; "unknown" without a date of birth."""
    if born is None:
        return "unknown"
    years = day.year - born.latest.year - ((day.month, day.day) < (born.latest.month, born.latest.day))
    return next((name for name, below in _AGE_BANDS if years < below), _OLDEST)


def topic_of(card: Card) -> str:
    return str(card.get("source", {}).get("topic", {}).get("code", ""))
