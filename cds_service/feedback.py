"""Reading a feedback body (CDS Hooks 2.0.1, rows F-1 to F-14 of the checklist): wrong elements are named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from cds_service.errors import BadRequest

_MAX_ITEMS = 200
_LONGEST = 200
_MAX_COMMENT = 2000


class FeedbackItem(Struct, frozen=True):
    """One outcome of one card. `comment` is free text and may hold PHI: stored with access control, never logged."""

    card: str
    outcome: Literal["accepted", "overridden"]
    timestamp: datetime
    suggestions: tuple[str, ...] = ()
    reason: tuple[str | None, str] | None = None
    comment: str | None = None


def parse_feedback(body: Any) -> tuple[FeedbackItem, ...]:
    """BadRequest names the element that is wrong; the order of the items is kept."""
    items = body.get("feedback")
    if not isinstance(items, list) or len(items) > _MAX_ITEMS:
        raise BadRequest(f"must be an array of at most {_MAX_ITEMS} items", "feedback")
    return tuple(_item(item, f"feedback[{index}]") for index, item in enumerate(items))


def _item(item: Any, where: str) -> FeedbackItem:
    if not isinstance(item, Mapping):
        raise BadRequest("must be an object", where)
    outcome = item.get("outcome")
    if outcome not in ("accepted", "overridden"):
        raise BadRequest("must be accepted or overridden", f"{where}.outcome")
    reason, comment = _override(item.get("overrideReason"), f"{where}.overrideReason")
    return FeedbackItem(
        card=_text(item.get("card"), f"{where}.card"),
        outcome=outcome,
        timestamp=_instant(item.get("outcomeTimestamp"), f"{where}.outcomeTimestamp"),
        suggestions=_accepted(item.get("acceptedSuggestions"), outcome, f"{where}.acceptedSuggestions"),
        reason=reason,
        comment=comment,
    )


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        raise BadRequest(f"must be a non-empty string of at most {_LONGEST} characters", where)
    return value


def _accepted(value: Any, outcome: str, where: str) -> tuple[str, ...]:
    if value is None and outcome == "overridden":
        return ()
    if not isinstance(value, list) or (outcome == "accepted" and not value):
        raise BadRequest("is required for accepted", where)
    return tuple(
        _text(entry.get("id") if isinstance(entry, Mapping) else None, f"{where}[{index}].id")
        for index, entry in enumerate(value)
    )


def _instant(value: Any, where: str) -> datetime:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadRequest("must be an RFC 3339 instant with a zone", where)
    return found


def _override(value: Any, where: str) -> tuple[tuple[str | None, str] | None, str | None]:
    if value is None:
        return None, None
    if not isinstance(value, Mapping) or not value:
        raise BadRequest("must be an object with a reason or a comment", where)
    reason = value.get("reason")
    coded = None
    if reason is not None:
        if not isinstance(reason, Mapping):
            raise BadRequest("must be a Coding", f"{where}.reason")
        system = reason.get("system")
        coded = (system if isinstance(system, str) else None, _text(reason.get("code"), f"{where}.reason.code"))
    comment = value.get("userComment")
    if comment is not None and not isinstance(comment, str):
        raise BadRequest("must be a string", f"{where}.userComment")
    if coded is None and not comment:
        raise BadRequest("must have a reason or a comment", where)
    return coded, comment[:_MAX_COMMENT] if comment else None
