"""What is written for one call, and what is read back to decide about a repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["shown", "nothing", "silent", "rollout", "suppressed", "unreadable"]


@dataclass(frozen=True, slots=True)
class SuggestionRecord:
    uuid: str
    what: str


@dataclass(frozen=True, slots=True)
class CardRecord:
    uuid: str
    topic: str
    material: frozenset[str]
    suggestions: tuple[SuggestionRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
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


@dataclass(frozen=True, slots=True)
class Claim:
    """A token that a caller spends on a request."""

    tenant: str
    jti: str
    request_hash: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A card that was shown for this patient before, with the latest thing a clinician said about it."""

    topic: str
    material: frozenset[str]
    at_ms: int
    user_key: str | None = None
    encounter_key: str | None = None
    verdict: Literal["accepted", "overridden"] | None = None
    verdict_ms: int = 0
    reason: tuple[str | None, str] | None = None
