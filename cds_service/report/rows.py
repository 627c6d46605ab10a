"""The rows of a period, as the store keeps them: one evaluation with its cards, suggestions and what was said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table, and_, select

from cds_service.store.engine import reported
from cds_service.store.store import Store
from cds_service.store.tables import cards, evaluations, feedback, suggestions


@dataclass(frozen=True, slots=True)
class Said:
    """One outcome that a client reported for a card."""

    outcome: str
    at_ms: int
    accepted: frozenset[str]
    reason_code: str | None
    comment: bool


@dataclass(frozen=True, slots=True)
class Card:
    uuid: str
    topic: str
    at_ms: int
    suggestions: Mapping[str, str]
    """uuid -> what it would create."""
    said: tuple[Said, ...]
    """oldest first."""

    @property
    def verdict(self) -> Said | None:
        """The latest word counts."""
        return self.said[-1] if self.said else None

    @property
    def accepted(self) -> frozenset[str]:
        return frozenset(self.suggestions) & frozenset().union(*(said.accepted for said in self.said))


@dataclass(frozen=True, slots=True)
class Evaluation:
    id: str
    at_ms: int
    tenant: str
    service: str
    patient_key: str
    knowledge_version: str
    grade: str
    card: str
    outcome: str
    incomplete: tuple[str, ...]
    written: tuple[str, ...]
    """topics of the cards that were written, shown or not."""
    milliseconds: float
    sex: str
    age_band: str
    user_kind: str
    cards: tuple[Card, ...]


def read_period(store: Store, from_ms: int, to_ms: int, tenant: str | None) -> list[Evaluation]:
    """Evaluations from `from_ms` on and before `to_ms`, oldest first; feedback of any later date counts to its card.
    StoreError when the database fails."""
    with reported(), store.engine.connect() as connection:
        said: dict[str, list[Said]] = defaultdict(list)
        known = _within(select(cards.c.uuid), cards, from_ms, to_ms, tenant)
        latest_last = select(feedback).where(feedback.c.card.in_(known)).order_by(feedback.c.at_ms, feedback.c.id)
        if tenant is not None:
            latest_last = latest_last.where(feedback.c.tenant == tenant)
        for row in connection.execute(latest_last):
            said[f"{row.tenant} {row.card}"].append(_said(row))
        offered: dict[str, dict[str, str]] = defaultdict(dict)
        for row in connection.execute(select(suggestions).where(suggestions.c.card.in_(known))):
            offered[row.card][row.uuid] = row.what
        shown: dict[str, list[Card]] = defaultdict(list)
        for row in connection.execute(_within(select(cards), cards, from_ms, to_ms, tenant)):
            shown[row.evaluation].append(
                Card(row.uuid, row.topic, row.at_ms, offered[row.uuid], tuple(said[f"{row.tenant} {row.uuid}"]))
            )
        order = _within(select(evaluations), evaluations, from_ms, to_ms, tenant)
        found = connection.execute(order.order_by(evaluations.c.at_ms, evaluations.c.id))
        return [_evaluation(row, tuple(shown[row.id])) for row in found]


def _within(query: Select[Any], table: Table, from_ms: int, to_ms: int, tenant: str | None) -> Select[Any]:
    query = query.where(and_(table.c.at_ms >= from_ms, table.c.at_ms < to_ms))
    return query if tenant is None else query.where(table.c.tenant == tenant)


def _said(row: Any) -> Said:
    return Said(row.outcome, row.at_ms, frozenset(row.accepted.split()), row.reason_code, bool(row.comment))


def _evaluation(row: Any, shown: tuple[Card, ...]) -> Evaluation:
    return Evaluation(
        id=row.id,
        at_ms=row.at_ms,
        tenant=row.tenant,
        service=row.service,
        patient_key=row.patient_key,
        knowledge_version=row.knowledge_version,
        grade=row.grade,
        card=row.card,
        outcome=row.outcome,
        incomplete=tuple(row.incomplete.split()),
        written=tuple(word.removeprefix("card:") for word in row.decisions.split() if word.startswith("card:")),
        milliseconds=row.milliseconds,
        sex=row.sex or "not kept",
        age_band=row.age_band or "not kept",
        user_kind=row.user_kind or "not said",
        cards=shown,
    )
