"""docs/cards.md says what the data say."""

from __future__ import annotations

from pathlib import Path

from hooks.dialects import load_dialects
from hooks.knowledge.card_schema import load_cards, load_override_reasons

PAGE = (Path(__file__).parents[2] / "docs" / "cards.md").read_text(encoding="utf-8")


def test_kinds_and_topics() -> None:
    for name, kind in load_cards().kinds.items():
        assert f"| {name} | `{kind.topic}` |" in PAGE


def test_reasons() -> None:
    for reason in load_override_reasons().reasons:
        effect = f"{reason.days} days" if reason.days else "for good"
        assert f"| {reason.display} | `{reason.code}` | quiet for {effect}".replace("for for", "for") in PAGE


def test_dialects() -> None:
    for name, rules in load_dialects().dialects.items():
        assert f"`{name}`" in PAGE
        assert not rules.max_detail or f"| `{name}` | detail of at most {rules.max_detail} characters" in PAGE
