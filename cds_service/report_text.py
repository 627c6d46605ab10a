"""An assessment and its cards as a person reads them in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hooks.knowledge.messages import Messages
from hooks.model import Assessment
from hooks.read_aloud import read_aloud

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_ESCAPED = re.compile(r"\\([\\`*_\[\]|~#!])")


def report(assessment: Assessment, cards: list[dict[str, Any]], messages: Messages) -> str:
    """Plain text: the verdict first, then the cards, then the assessment read aloud."""
    lines = [
        f"{assessment.patient}: grade {assessment.grade}, card {assessment.card} "
        f"(knowledge {assessment.knowledge_version}, as of {assessment.as_of.isoformat()})",
        "",
    ]
    for card in cards:
        lines.extend(_card(card))
    lines.append("The assessment:" if cards else "No card. The assessment:")
    lines.extend(f"  - {sentence}" for sentence in read_aloud(assessment, messages))
    return "\n".join(lines)


def _card(card: dict[str, Any]) -> Iterable[str]:
    yield f"[{card['indicator']}] {card['summary']}"
    yield ""
    yield plain_markdown(card.get("detail", ""))
    suggestions = card.get("suggestions", [])
    if suggestions:
        yield ""
        yield "Suggestions (each creates one draft when accepted):"
        for suggestion in suggestions:
            yield f"  - {suggestion['label']}: {suggestion['actions'][0]['description']}"
    yield ""


def plain_markdown(text: str) -> str:
    """The Markdown of our own cards without its marks."""
    text = _LINK.sub(r"\1", text).replace("**", "").replace("`", "")
    text = re.sub(r"(?m)^_(.*)_$", r"\1", text)
    return _ESCAPED.sub(r"\1", text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
