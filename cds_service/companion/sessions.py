"""Sessions of the companion: in this process's memory only, short-lived, bound to the browser that launched.

What is in a session never leaves the server: the tokens, the chart, the answers. The browser holds one random secret
in a cookie; a new launch in the same browser ends its earlier sessions, so that a page of another patient goes blank.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cds_service.fhir.client import FhirClient
from cds_service.tenants import Tenant
from hooks.dialogue import Dialogue
from mappings.raw import RawChart

IDLE_SECONDS = 15 * 60
LONGEST_SECONDS = 8 * 3600
PENDING_SECONDS = 10 * 60
_MOST = 2000


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
    begun: float = 0.0


@dataclass(slots=True)
class Session:
    """One patient, one browser. `scopes` are those that were granted; None: no server behind it (sandbox)."""

    browser: str
    tenant: Tenant | None
    dialogue: Dialogue
    chart: RawChart | None = None
    client: FhirClient | None = field(default=None, repr=False)
    scopes: str | None = None
    encounter: str | None = None
    banner: bool = True
    style: tuple[tuple[str, str], ...] = ()
    given: dict[str, tuple[str, ...]] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    saved: tuple[str, ...] = ()
    token_ends: float = float("inf")
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    page_key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    begun: float = 0.0
    used: float = 0.0


class Sessions:
    """`clock` is injected, so that expiry can be tested."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._pending: dict[str, Pending] = {}

    def await_return(self, state: str, pending: Pending) -> None:
        pending.begun = self._clock()
        with self._lock:
            self._tidy()
            self._pending[state] = pending

    def returned(self, state: str) -> Pending | None:
        """The launch of this state, once and not too late."""
        with self._lock:
            self._tidy()
            return self._pending.pop(state, None)

    def open(self, session: Session) -> Session:
        """Keeps a new session and ends the others of the same browser: one patient at a time."""
        session.begun = session.used = self._clock()
        with self._lock:
            self._tidy()
            for other in [s.id for s in self._sessions.values() if s.browser == session.browser]:
                del self._sessions[other]
            self._sessions[session.id] = session
        return session

    def find(self, session_id: str, browser: str | None, *, touch: bool = True) -> Session | None:
        """The session of this browser; None when it ended, or never was."""
        with self._lock:
            self._tidy()
            found = self._sessions.get(session_id)
            if found is None or browser is None or not secrets.compare_digest(found.browser, browser):
                return None
            if touch:
                found.used = self._clock()
            return found

    def close(self, session_id: str) -> None:
        with self._lock:
            self._sessions.pop(session_id, None)

    def _tidy(self) -> None:
        now = self._clock()
        ended = [
            s.id
            for s in self._sessions.values()
            if now - s.used > IDLE_SECONDS or now - s.begun > LONGEST_SECONDS or now > s.token_ends
        ]
        oldest = sorted(self._sessions.values(), key=lambda s: s.used)[: max(0, len(self._sessions) - _MOST)]
        for session_id in {*ended, *(s.id for s in oldest)}:
            del self._sessions[session_id]
        late = [state for state, p in self._pending.items() if now - p.begun > PENDING_SECONDS]
        for state in (*late, *list(self._pending)[: max(0, len(self._pending) - _MOST)]):
            self._pending.pop(state, None)

    def __len__(self) -> int:
        return len(self._sessions)

    def now(self) -> float:
        return self._clock()


def browser_of(secret: str) -> str:
    """What is kept of the browser's cookie: its hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
