"""Sealed sessions of the companion, shared by all processes: what they hold is nobody's who has only the database."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from cds_service.store.engine import reported
from cds_service.store.records import SealedSession
from cds_service.store.store import Store
from cds_service.store.tables import sessions


class SealedSessions:
    """Blocking; methods raise StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, session: SealedSession, *, alone: bool) -> None:
        """Keeps a new row; `alone` ends the other sessions of the same browser."""
        with self._store.writing() as connection:
            if alone:
                connection.execute(
                    delete(sessions).where(sessions.c.browser == session.browser, sessions.c.patient_key.is_not(None))
                )
            row = {name: getattr(session, name) for name in SealedSession.__struct_fields__}
            connection.execute(sessions.insert().values(row))

    def get(self, name: str, now_ms: int) -> SealedSession | None:
        """The row, unless its time is over."""
        with reported(), self._store.engine.connect() as connection:
            found = connection.execute(select(sessions).where(sessions.c.name == name)).first()
        if found is None or now_ms > min(found.idle_ms, found.ends_ms):
            return None
        return SealedSession(**{key: getattr(found, key) for key in SealedSession.__struct_fields__})

    def touch(self, name: str, idle_ms: int) -> None:
        with self._store.writing() as connection:
            connection.execute(update(sessions).where(sessions.c.name == name).values(idle_ms=idle_ms))

    def change(self, name: str, sealed: bytes, ends_ms: int) -> int | None:
        """Replaces what a row holds; its new version, None when the row is gone."""
        with self._store.writing() as connection:
            changed = connection.execute(
                update(sessions)
                .where(sessions.c.name == name)
                .values(sealed=sealed, ends_ms=ends_ms, version=sessions.c.version + 1)
                .returning(sessions.c.version)
            ).first()
        return int(changed.version) if changed is not None else None

    def take(self, name: str, now_ms: int) -> SealedSession | None:
        """The row, once: of two that ask, one gets it."""
        with self._store.writing() as connection:
            found = connection.execute(delete(sessions).where(sessions.c.name == name).returning(sessions)).first()
        if found is None or now_ms > found.ends_ms:
            return None
        return SealedSession(**{key: getattr(found, key) for key in SealedSession.__struct_fields__})
