"""An assessment and its cards as a person reads them in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hooks.model import Assessment

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_ESCAPED = re.compile(r"\\([\\`*_\[\]|~#!])")


def report(assessment: Assessment, cards: list[dict[str, Any]]) -> str:
    """Plain text: the verdict first, then the cards, else why there are none, then what was not read."""
    lines = [
        f"{assessment.patient}: grade {assessment.grade}, card {assessment.card} "
        f"(knowledge {assessment.knowledge_version}, as of {assessment.as_of.isoformat()})",
        "",
    ]
    for card in cards:
        lines.extend(_card(card))
    if not cards:
        lines.append("No card. Why:")
        lines.extend(f"  - {reason}" for reason in assessment.because)
    unread = [
        f"  - {need}: {state.state}{f' ({state.reason})' if state.reason else ''}"
        for need, state in assessment.completeness.items()
        if state.state != "complete"
    ]
    if unread:
        lines.extend(["", "Not read completely:", *unread])
    if assessment.quarantined:
        lines.extend(["", "Left out:", *(f"  - {q.reference}: {q.reason}" for q in assessment.quarantined[:20])])
        if len(assessment.quarantined) > 20:
            lines.append(f"  … and {len(assessment.quarantined) - 20} more")
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
