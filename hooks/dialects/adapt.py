"""From the neutral card to a client's: what it does not understand is taken away, and the card still makes sense."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hooks.dialects.schema import Dialect, load_dialects
from hooks.knowledge.card_schema import load_cards

Card = dict[str, Any]

_CODES = {"ServiceRequest": "code", "MedicationRequest": "medicationCodeableConcept", "Condition": "code"}


def adapt(cards: Iterable[Card], dialect: str) -> list[Card]:
    """The cards as this client may get them; the given ones are not changed. KeyError for an unknown dialect."""
    rules = load_dialects().get(dialect)
    return [_card(card, rules) for card in cards]


def _card(card: Card, rules: Dialect) -> Card:
    adapted = {key: value for key, value in card.items() if key not in ("suggestions", "selectionBehavior", "links")}
    if "detail" in adapted:
        adapted["detail"] = fit(adapted["detail"], rules.max_detail)
    suggestions = [s for s in card.get("suggestions", ()) if _understood(s, rules)]
    if suggestions:
        adapted["suggestions"] = suggestions
        adapted["selectionBehavior"] = card["selectionBehavior"]
    links = [_link(link, rules) for link in card.get("links", ()) if rules.smart_links or link["type"] != "smart"]
    if links:
        adapted["links"] = links
    return adapted


def _understood(suggestion: dict[str, Any], rules: Dialect) -> bool:
    actions = suggestion["actions"]
    if rules.one_action and len(actions) != 1:
        return False
    resources = [action["resource"] for action in actions if "resource" in action]
    if rules.create and any(resource["resourceType"] not in rules.create for resource in resources):
        return False
    return not rules.systems or all(_coded_in(resource, rules.systems) for resource in resources)


def _coded_in(resource: dict[str, Any], systems: tuple[str, ...]) -> bool:
    concept = resource.get(_CODES.get(resource["resourceType"], ""), {})
    return any(coding["system"] in systems for coding in concept.get("coding", ()))


def _link(link: dict[str, str], rules: Dialect) -> dict[str, str]:
    if rules.app_context:
        return link
    return {key: value for key, value in link.items() if key != "appContext"}


def fit(detail: str, limit: int) -> str:
    """At most `limit` characters (0: any number): whole sections go first, then whole lines; the last paragraph, which
    says what the card is, stays."""
    if not limit or len(detail) <= limit:
        return detail
    sections = detail.split("\n\n")
    headings = load_cards().headings
    for name in load_dialects().dispensable:
        sections = [part for part in sections if not part.startswith(f"**{headings[name]}**")]
        if (length := len("\n\n".join(sections))) <= limit:
            break
    body, last = "\n\n".join(sections[:-1]), sections[-1]
    if length > limit:
        room = limit - len(last) - 2
        lines = body.split("\n")
        while lines and len("\n".join(lines)) > room:
            lines.pop()
        while lines and (not lines[-1] or (lines[-1].startswith("**") and not lines[-1].startswith(body[:20]))):
            lines.pop()  # a heading whose list went
        body = "\n".join(lines).rstrip()
    return f"{body}\n\n{last}" if body else last[:limit]
