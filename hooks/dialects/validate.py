"""What would be wrong with a card for a client: the rules of CDS Hooks 2.0.1 and 3.0, then those of the dialect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hooks.dialects.schema import Dialect, load_dialects

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_TOPIC = re.compile(r"[A-Za-z0-9]{1,100}")
_HTML = re.compile(r"<[A-Za-z/!?]")
_TABLE = re.compile(r"^\s*\|?\s*:?-{3,}:?\s*\|", re.MULTILINE)
_URL = re.compile(r"https?://[^\s/]+")
_MARKUP = re.compile(r"\*\*|`|\]\(|^#|\n")
_LONGEST = 139
_INDICATORS = ("info", "warning")


def validate(card: dict[str, Any], dialect: str) -> list[str]:
    """One sentence for each rule that the card breaks, element named; [] when it may be sent."""
    rules = load_dialects().get(dialect)
    return [*_empty(card, "card"), *_head(card), *_suggestions(card, rules), *_links(card, rules), *_text(card, rules)]


def _empty(value: Any, where: str) -> Iterator[str]:
    if value is None or value in ("", [], {}):
        yield f"{where}: null or empty"
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _empty(item, f"{where}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _empty(item, f"{where}[{index}]")


def _head(card: dict[str, Any]) -> Iterator[str]:
    summary = card.get("summary")
    if not isinstance(summary, str) or len(summary) > _LONGEST:
        yield f"card.summary: must be text of at most {_LONGEST} characters"
    elif _MARKUP.search(summary):
        yield "card.summary: must be plain text"
    if card.get("indicator") not in _INDICATORS:
        yield "card.indicator: must be info or warning"
    if not _UUID.fullmatch(str(card.get("uuid"))):
        yield "card.uuid: must be a UUID without prefix"
    source = card.get("source", {})
    if not source.get("label"):
        yield "card.source.label: is required"
    if not _URL.match(str(source.get("url"))):
        yield "card.source.url: must be absolute"
    topic = source.get("topic", {})
    if not _TOPIC.fullmatch(str(topic.get("code"))) or not topic.get("system"):
        yield "card.source.topic: needs a system and an alphanumeric code"
    reasons = card.get("overrideReasons", ())
    if any(not (reason.get("code") and reason.get("system") and reason.get("display")) for reason in reasons):
        yield "card.overrideReasons: each needs code, system and display"
    if len({reason.get("code") for reason in reasons}) != len(reasons):
        yield "card.overrideReasons: a code occurs twice"
    if "systemActions" in card:
        yield "card.systemActions: never sent"


def _suggestions(card: dict[str, Any], rules: Dialect) -> Iterator[str]:
    suggestions = card.get("suggestions", ())
    if bool(suggestions) != ("selectionBehavior" in card):
        yield "card.selectionBehavior: goes with suggestions"
    elif suggestions and card["selectionBehavior"] != "any":
        yield "card.selectionBehavior: must be any"
    for index, suggestion in enumerate(suggestions):
        where = f"card.suggestions[{index}]"
        if not suggestion.get("label") or not _UUID.fullmatch(str(suggestion.get("uuid"))):
            yield f"{where}: needs label and uuid"
        if "isRecommended" in suggestion or "actionSelectionBehavior" in suggestion:
            yield f"{where}: nothing is pre-selected"
        actions = suggestion.get("actions", ())
        if not actions or (rules.one_action and len(actions) != 1):
            yield f"{where}.actions: exactly one"
        for action in actions:
            yield from _action(action, f"{where}.actions", rules)


def _action(action: dict[str, Any], where: str, rules: Dialect) -> Iterator[str]:
    if action.get("type") != "create" or not action.get("description"):
        yield f"{where}: must be a create with a description"
    resource = action.get("resource")
    if not isinstance(resource, dict) or "resourceType" not in resource:
        yield f"{where}.resource: must be a FHIR resource"
        return
    if rules.create and resource["resourceType"] not in rules.create:
        yield f"{where}.resource: {resource['resourceType']} can't be created by this client"
    if rules.systems:
        concept = resource.get("code") or resource.get("medicationCodeableConcept") or {}
        if not {coding.get("system") for coding in concept.get("coding", ())} & set(rules.systems):
            yield f"{where}.resource: no coding that this client can order by"


def _links(card: dict[str, Any], rules: Dialect) -> Iterator[str]:
    for index, link in enumerate(card.get("links", ())):
        where = f"card.links[{index}]"
        if not link.get("label") or not _URL.match(str(link.get("url"))):
            yield f"{where}: needs label and absolute url"
        kind = link.get("type")
        if kind not in ("absolute", "smart") or (kind == "smart" and not rules.smart_links):
            yield f"{where}.type: not for this client"
        if "appContext" in link and (kind != "smart" or not rules.app_context):
            yield f"{where}.appContext: not for this client or this type"


def _text(card: dict[str, Any], rules: Dialect) -> Iterator[str]:
    detail = card.get("detail") or ""
    if _HTML.search(detail):
        yield "card.detail: raw HTML"
    if not rules.tables and _TABLE.search(detail):
        yield "card.detail: a table"
    if rules.max_detail and len(detail) > rules.max_detail:
        yield f"card.detail: longer than {rules.max_detail} characters"
