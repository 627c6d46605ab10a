"""What was shown of a patient before, read with statements that are compiled once: every card asks for it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Dialect, bindparam, case, select

from cds_service.prepared_statements import Prepared
from cds_service.store.records import Shown
from cds_service.store.tables import cards, feedback

_MOST = 200
_THEIRS = (cards.c.tenant == bindparam("tenant"), cards.c.patient_key == bindparam("patient_key"))
_CARDS = (
    select(cards.c.uuid, cards.c.topic, cards.c.material, cards.c.at_ms, cards.c.user_key, cards.c.encounter_key)
    .where(*_THEIRS)
    .order_by(cards.c.at_ms.desc())
    .limit(_MOST)
)
_WHEN = case((feedback.c.at_ms < feedback.c.received_ms, feedback.c.at_ms), else_=feedback.c.received_ms)
"""when it was said, and at the latest when we heard of it: by a clock that is years ahead a dismissal would never end,
and no later word count."""
_SAID = (
    select(
        feedback.c.card, feedback.c.outcome, _WHEN.label("said_ms"), feedback.c.reason_system, feedback.c.reason_code
    )
    .join(cards, (feedback.c.card == cards.c.uuid) & (feedback.c.tenant == cards.c.tenant))
    .where(*_THEIRS)
    .order_by(_WHEN, feedback.c.at_ms, feedback.c.id)
)
_Said = tuple[str | None, int, str | None, str | None]
_NOTHING: _Said = (None, 0, None, None)


class History:
    """The cards of one database."""

    def __init__(self, dialect: Dialect) -> None:
        self._cards, self._said = Prepared(_CARDS, dialect), Prepared(_SAID, dialect)

    def read(self, cursor: Any, tenant: str, patient_key: str) -> list[Shown]:
        """The newest cards of a patient, newest first, each with the latest verdict about it."""
        about = {"tenant": tenant, "patient_key": patient_key}
        self._cards.run(cursor, about)
        found = cursor.fetchall()
        if not found:
            return []
        self._said.run(cursor, about)
        latest: dict[str, _Said] = {card: tuple(said) for card, *said in cursor.fetchall()}
        return [_shown(row[1:], latest.get(row[0], _NOTHING)) for row in found]


def _shown(card: tuple[Any, ...], said: _Said) -> Shown:
    topic, material, at_ms, user_key, encounter_key = card
    verdict, verdict_ms, system, code = said
    return Shown(
        topic=topic,
        material=frozenset(material.split()),
        at_ms=at_ms,
        user_key=user_key,
        encounter_key=encounter_key,
        verdict=verdict,  # type: ignore[arg-type]
        verdict_ms=verdict_ms,
        reason=(system, code) if code else None,
    )
