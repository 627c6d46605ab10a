"""Sessions between processes: sealed rows of the store. The chart is never among what is kept."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from cds_service.companion.session_cipher import SessionCipher
from cds_service.errors import Overloaded
from cds_service.store.records import SealedSession, StoreError
from cds_service.tenants import Tenants

if TYPE_CHECKING:
    from cds_service.companion.sessions import Pending, Session
    from cds_service.store import Store

_SECONDS = 2.0
_FOREVER = 4_102_444_800.0
"""2100: what has no end of its own."""
_Result = TypeVar("_Result")


class Kept(msgspec.Struct):
    """A session without its chart."""

    id: str
    browser: str
    tenant: str | None
    iss: str | None
    patient: str | None
    token: str | None
    scopes: str | None
    encounter: str | None
    banner: bool
    style: tuple[tuple[str, str], ...]
    given: dict[str, tuple[str, ...]]
    saved: tuple[str, ...]
    user: str | None
    refresh: str | None
    token_endpoint: str
    token_ends: float
    page_key: str
    begun: float
    version: int = 0


class _Launch(msgspec.Struct):
    browser: str
    iss: str
    launch: str | None
    tenant: str | None
    verifier: str
    token_endpoint: str
    redirect_uri: str
    nonce: str
    issuer: str | None
    jwks_uri: str | None
    begun: float


class Shared:
    """The rows, opened and sealed. Overloaded when the store does not answer: the page may be asked for again."""

    def __init__(self, store: Store, cipher: SessionCipher, tenants: Tenants) -> None:
        from cds_service.store.sealed_sessions import SealedSessions

        self._store, self._rows, self._cipher, self._tenants = store, SealedSessions(store), cipher, tenants

    async def keep_launch(self, state: str, pending: Pending, ends: float) -> None:
        """Seals and keeps a launch until `ends` (seconds since 1970). Raises StoreError or TimeoutError."""
        made = _Launch(
            pending.browser, pending.iss, pending.launch, pending.tenant.id if pending.tenant else None,
            pending.verifier, pending.token_endpoint, pending.redirect_uri, pending.nonce, pending.issuer,
            pending.jwks_uri, pending.begun,
        )  # fmt: skip
        row, until = digest_of(state), int(ends * 1000)
        sealed = self._cipher.seal(msgspec.json.encode(made), row)
        stored = SealedSession(row, pending.browser, made.tenant or "-", None, 0, until, until, sealed)
        await _in_time(lambda: self._rows.put(stored, alone=False))

    async def take_launch(self, state: str, now: float) -> Pending | None:
        """The launch of a state, once; None when it is unknown, too old or sealed with another key."""
        from cds_service.companion.sessions import Pending

        row = digest_of(state)
        stored = await _in_time(lambda: self._rows.take(row, int(now * 1000)))
        plain = self._cipher.open(stored.sealed, row) if stored is not None else None
        if plain is None:
            return None
        kept = msgspec.json.decode(plain, type=_Launch)
        tenant = self._tenants.by_id(kept.tenant) if kept.tenant is not None else None
        if kept.tenant is not None and tenant is None:
            return None
        return Pending(
            kept.browser, kept.iss, kept.launch, tenant, kept.verifier, kept.token_endpoint, kept.redirect_uri,
            kept.nonce, kept.issuer, kept.jwks_uri, kept.begun,
        )  # fmt: skip

    async def keep(self, session: Session, idle: float) -> None:
        """Seals and keeps a session, for `idle` seconds at a time; it ends the browser's other ones."""
        row = digest_of(session.id)
        tenant = session.tenant.id if session.tenant else "-"
        patient = session.chart.patient_id if session.chart is not None else ""
        stored = SealedSession(
            row, session.browser, tenant, self._store.key(tenant, "patient", patient), session.version,
            int(idle * 1000), int(min(session.ends, _FOREVER) * 1000), self._sealed(session, row),
        )  # fmt: skip
        await _in_time(lambda: self._rows.put(stored, alone=True))

    async def find(self, session_id: str, now: float) -> Kept | None:
        """The session without its chart; None when it is unknown, over or sealed with another key."""
        row = digest_of(session_id)
        stored = await _in_time(lambda: self._rows.get(row, int(now * 1000)))
        plain = self._cipher.open(stored.sealed, row) if stored is not None else None
        if stored is None or plain is None:
            return None
        kept = msgspec.json.decode(plain, type=Kept)
        kept.version = stored.version
        return kept

    async def touch(self, session_id: str, idle: float) -> None:
        await _in_time(lambda: self._rows.touch(digest_of(session_id), int(idle * 1000)))

    async def change(self, session: Session) -> None:
        row, ends = digest_of(session.id), int(min(session.ends, _FOREVER) * 1000)
        sealed = self._sealed(session, row)
        version = await _in_time(lambda: self._rows.change(row, sealed, ends))
        if version is not None:
            session.version = version

    async def end(self, session_id: str, now: float) -> None:
        await _in_time(lambda: self._rows.take(digest_of(session_id), int(now * 1000)))

    def _sealed(self, session: Session, row: str) -> bytes:
        client, chart = session.client, session.chart
        kept = Kept(
            session.id, session.browser, session.tenant.id if session.tenant else None,
            client.base if client else None, chart.patient_id if chart else None, client.token if client else None,
            session.scopes, session.encounter, session.banner, session.style, session.given, session.saved,
            session.user, session.refresh, session.token_endpoint, min(session.token_ends, _FOREVER),
            session.page_key, session.begun,
        )  # fmt: skip
        return self._cipher.seal(msgspec.json.encode(kept), row)


async def _in_time(work: Callable[[], _Result]) -> _Result:
    try:
        return await asyncio.wait_for(asyncio.to_thread(work), _SECONDS)
    except (StoreError, TimeoutError):
        raise Overloaded("the session can't be read now; try again") from None


def digest_of(secret: str) -> str:
    """What is kept of a secret of the browser (its cookie, a session's id, a state): its hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
