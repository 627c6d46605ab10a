"""Sessions of the companion: short-lived, bound to the browser that launched, one patient at a time.

What is in a session never leaves the server: the tokens, the chart, the answers. The browser holds one random secret
in a cookie; a new launch in the same browser ends its earlier sessions, so that a page of another patient goes blank.

With a key in the settings sessions are shared through the store, so that any process can go on with them: sealed, and
without the chart, which the other process reads again. Without it they live in this process alone.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cds_service.companion.shared import Kept, Shared, digest_of
from cds_service.companion.style import Style
from cds_service.fhir.client import FhirClient
from cds_service.tenants import Tenant
from hooks.dialogue import Dialogue
from mappings.raw import RawChart

IDLE_SECONDS = 15 * 60
LONGEST_SECONDS = 8 * 3600
PENDING_SECONDS = 10 * 60
_MOST = 500
"""sessions, each a quarter of a megabyte or more: one more ends the one that was not used for longest."""
_MOST_PENDING = 2000
"""launches on their way: small, and anybody may begin one."""


@dataclass(slots=True)
class Pending:
    """A launch on its way through the authorization server."""

    browser: str
    iss: str
    launch: str | None
    tenant: Tenant | None
    verifier: str = field(repr=False)
    token_endpoint: str = ""
    redirect_uri: str = ""
    nonce: str = field(default="", repr=False)
    issuer: str | None = None
    jwks_uri: str | None = None
    begun: float = 0.0


@dataclass(slots=True)
class Session:
    """One patient, one browser. `scopes` are those that were granted; None: no server behind it (sandbox). `user` is
    who is signed in, as a reference, where the record system says so."""

    browser: str
    tenant: Tenant | None
    dialogue: Dialogue
    chart: RawChart | None = None
    client: FhirClient | None = field(default=None, repr=False)
    scopes: str | None = None
    encounter: str | None = None
    banner: bool = True
    style: Style = ()
    given: dict[str, tuple[str, ...]] = field(default_factory=dict)
    saved: tuple[str, ...] = ()
    user: str | None = None
    refresh: str | None = field(default=None, repr=False)
    token_endpoint: str = ""
    token_ends: float = float("inf")
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    page_key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    begun: float = 0.0
    used: float = 0.0
    version: int = 0

    @property
    def ends(self) -> float:
        """When it ends at the latest; a token that can be renewed does not end it."""
        last = self.begun + LONGEST_SECONDS
        return last if self.refresh is not None else min(last, self.token_ends)


Restore = Callable[[Kept, Session | None], Awaitable[Session | None]]
"""makes what another process did to a session this one's; reads the chart again where it must."""


class Sessions:
    """`clock` is injected, so that expiry can be tested; with `shared` it must be the time of day."""

    def __init__(
        self, clock: Callable[[], float] = time.time, shared: Shared | None = None, restore: Restore | None = None
    ) -> None:
        self._clock, self._shared, self._restore = clock, shared, restore
        self._sessions: dict[str, Session] = {}
        self._pending: dict[str, Pending] = {}

    def __len__(self) -> int:
        """How many this process holds."""
        self._tidy()
        return len(self._sessions)

    async def await_return(self, state: str, pending: Pending) -> None:
        pending.begun = self._clock()
        if self._shared is not None:
            await self._shared.keep_launch(state, pending, pending.begun + PENDING_SECONDS)
            return
        self._tidy()
        self._pending[state] = pending

    async def returned(self, state: str) -> Pending | None:
        """The launch of this state, once and not too late."""
        if self._shared is not None:
            return await self._shared.take_launch(state, self._clock())
        self._tidy()
        return self._pending.pop(state, None)

    async def open(self, session: Session) -> Session:
        """Keeps a new session and ends the others of the same browser: one patient at a time."""
        session.begun = session.used = self._clock()
        self._tidy()
        for other in [s.id for s in self._sessions.values() if s.browser == session.browser]:
            del self._sessions[other]
        if self._shared is not None:
            await self._shared.keep(session, session.begun + IDLE_SECONDS)
        self._sessions[session.id] = session
        return session

    async def find(self, session_id: str, browser: str | None, *, touch: bool = True) -> Session | None:
        """The session of this browser; None when it ended, or never was."""
        self._tidy()
        found = self._sessions.get(session_id)
        if self._shared is not None:
            found = await self._current(session_id, browser, found)
        if found is None or browser is None or not secrets.compare_digest(found.browser, browser):
            return None
        if touch:
            found.used = self._clock()
            if self._shared is not None:
                await self._shared.touch(session_id, found.used + IDLE_SECONDS)
        return found

    async def changed(self, session: Session) -> None:
        """Says to the other processes what was answered, saved or renewed."""
        if self._shared is not None:
            await self._shared.change(session)

    async def close(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)
        if self._shared is not None:
            await self._shared.end(session_id, self._clock())

    def now(self) -> float:
        return self._clock()

    async def _current(self, session_id: str, browser: str | None, ours: Session | None) -> Session | None:
        """The session as the store has it: ended there, it is ended; changed there, ours is made anew."""
        assert self._shared is not None and self._restore is not None  # noqa: S101 - given together
        kept = await self._shared.find(session_id, self._clock())
        if kept is None or browser is None or not secrets.compare_digest(kept.browser, browser):
            if kept is None:
                self._sessions.pop(session_id, None)
            return None
        if ours is not None and ours.version == kept.version:
            return ours
        found = await self._restore(kept, ours)
        if found is not None:
            self._sessions[session_id] = found
        return found

    def _tidy(self) -> None:
        now = self._clock()
        ended = [s.id for s in self._sessions.values() if now - s.used > IDLE_SECONDS or now > s.ends]
        oldest = sorted(self._sessions.values(), key=lambda s: s.used)[: max(0, len(self._sessions) - _MOST)]
        for session_id in {*ended, *(s.id for s in oldest)}:
            del self._sessions[session_id]
        late = [state for state, p in self._pending.items() if now - p.begun > PENDING_SECONDS]
        for state in (*late, *list(self._pending)[: max(0, len(self._pending) - _MOST_PENDING)]):
            self._pending.pop(state, None)


def browser_of(secret: str) -> str:
    """What is kept of the browser's cookie."""
    return digest_of(secret)
