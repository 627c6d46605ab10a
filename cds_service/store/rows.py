"""A record as rows of the tables, and as the event that the audit trail keeps of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from cds_service.audit.events import Event
from cds_service.feedback import FeedbackItem
from cds_service.store.records import CardRecord, EvaluationRecord
from hooks.knowledge.card_schema import load_override_reasons

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def evaluation_row(record: EvaluationRecord) -> dict[str, Any]:
    """An evaluation as a row of its table."""
    return {
        "id": record.id,
        "at_ms": record.at_ms,
        "tenant": record.tenant,
        "service": record.service,
        "patient_key": record.patient_key,
        "user_key": record.user_key,
        "encounter_key": record.encounter_key,
        "knowledge_version": record.knowledge_version,
        "grade": record.grade,
        "card": record.card,
        "outcome": record.outcome,
        "decisions": " ".join(record.decisions),
        "incomplete": " ".join(record.incomplete),
        "milliseconds": record.milliseconds,
        "sex": record.sex,
        "age_band": record.age_band,
        "user_kind": record.user_kind,
    }


def card_row(record: EvaluationRecord, card: CardRecord) -> dict[str, Any]:
    """A card that was shown as a row of its table."""
    return {
        "uuid": card.uuid,
        "evaluation": record.id,
        "tenant": record.tenant,
        "patient_key": record.patient_key,
        "user_key": record.user_key,
        "encounter_key": record.encounter_key,
        "topic": card.topic,
        "material": " ".join(sorted(card.material)),
        "at_ms": record.at_ms,
    }


def offered_rows(record: EvaluationRecord, card: CardRecord) -> Iterator[dict[str, Any]]:
    for s in card.suggestions:
        yield {"uuid": s.uuid, "card": card.uuid, "tenant": record.tenant, "what": s.what[:200]}


def evaluated(record: EvaluationRecord) -> Event:
    """An evaluation as the audit trail tells it: ids and verdicts, no value of the chart."""
    detail = f"evaluation={record.id} knowledge={record.knowledge_version} grade={record.grade} card={record.card}"
    return Event(
        record.at_ms,
        record.tenant,
        "evaluate",
        record.service,
        record.outcome,
        actor=record.user_key,
        subject=record.patient_key,
        detail=detail,
    )


def feedback_row(tenant: str, service: str, item: FeedbackItem, matched: bool, now_ms: int) -> dict[str, Any]:
    """Feedback as a row of its table. `matched`: its card is one that we showed."""
    at_ms = int(item.timestamp.timestamp() * 1000)
    accepted = " ".join(sorted(map(_own_id, item.suggestions)))
    named = "\0".join((item.card, item.outcome, str(at_ms), accepted))
    system, code = _reason(item.reason)
    return {
        "digest": hashlib.sha256(named.encode()).hexdigest(),
        "tenant": tenant,
        "service": service,
        "card": item.card if matched else _own_id(item.card),
        "outcome": item.outcome,
        "at_ms": at_ms,
        "received_ms": now_ms,
        "accepted": accepted,
        "reason_system": system[:400] if system else None,
        "reason_code": code,
        "comment": item.comment,
        "matched": matched,
    }


def _own_id(text: str) -> str:
    """Ids that we gave are UUIDs; of anything else that a caller writes in their place only a hash is kept."""
    return text if _UUID.fullmatch(text) else f"other-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _reason(reason: tuple[str | None, str] | None) -> tuple[str | None, str | None]:
    """The reason as far as it is one that we offer; another one counts as another one, its words are not kept."""
    if reason is None:
        return None, None
    return reason if load_override_reasons().effect(*reason) is not None else (None, "other")
