"""A record as rows of the tables, and as the event that the audit trail keeps of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cds_service.audit.events import Event
from cds_service.store.records import CardRecord, EvaluationRecord


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
