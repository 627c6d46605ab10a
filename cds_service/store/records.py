"""What is written for one call, and what is read back to decide about a repeat."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Outcome = Literal["shown", "nothing", "silent", "rollout", "suppressed", "unreadable"]
TokenUse = Literal["first", "repeat", "reused"]


class StoreError(Exception):
    """The database can't be used; the text names no data and may be shown to an operator."""


class SuggestionRecord(Struct, frozen=True):
    uuid: str
    what: str


class CardRecord(Struct, frozen=True):
    uuid: str
    topic: str
    material: frozenset[str]
    suggestions: tuple[SuggestionRecord, ...] = ()


class EvaluationRecord(Struct, frozen=True):
    """One evaluation without a clinical value. The keys are keyed hashes; `decisions` and `incomplete` are codes."""

    id: str
    at_ms: int
    tenant: str
    service: str
    patient_key: str
    knowledge_version: str
    grade: str
    card: str
    outcome: Outcome
    milliseconds: float
    user_key: str | None = None
    encounter_key: str | None = None
    sex: str | None = None
    age_band: str | None = None
    user_kind: str | None = None
    decisions: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    cards: tuple[CardRecord, ...] = ()


class Claim(Struct, frozen=True):
    """A token that a caller spends on a request."""

    tenant: str
    jti: str
    request_hash: str
    expires_ms: int


class Shown(Struct, frozen=True):
    """A card that was shown for this patient before, with the latest thing a clinician said about it."""

    topic: str
    material: frozenset[str]
    at_ms: int
    user_key: str | None = None
    encounter_key: str | None = None
    verdict: Literal["accepted", "overridden"] | None = None
    verdict_ms: int = 0
    reason: tuple[str | None, str] | None = None


class SealedSession(Struct, frozen=True):
    """A sealed session or launch of the companion. `name` is the hash of its id or state, `browser` the hash of the
    cookie's secret; `version` counts the changes of `sealed`."""

    name: str
    browser: str
    tenant: str
    patient_key: str | None
    version: int
    idle_ms: int
    ends_ms: int
    sealed: bytes
