"""The tables. Times are milliseconds since 1970 UTC, patients and users keyed hashes (never an id of the chart)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

evaluations = Table(
    "evaluations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("service", String(64), nullable=False),
    Column("patient_key", String(64), nullable=False),
    Column("user_key", String(64)),
    Column("encounter_key", String(64)),
    Column("knowledge_version", String(32), nullable=False),
    Column("grade", String(16), nullable=False),
    Column("card", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("decisions", Text, nullable=False),
    Column("incomplete", Text, nullable=False),
    Column("milliseconds", Float, nullable=False),
    Column("sex", String(8)),
    Column("age_band", String(8)),
    Column("user_kind", String(24)),
    Index("ix_evaluations_at", "at_ms"),
    Index("ix_evaluations_tenant_at", "tenant", "at_ms"),
    Index("ix_evaluations_patient", "tenant", "patient_key"),
)
"""outcome: shown, nothing, silent, rollout, suppressed, unreadable (the question could not be read).
decisions: codes such as "workup:radiograph=offer". incomplete: "conditions=partial:timeout" and so on.
sex, age_band: only as wide as the committee report needs them, none for evaluations of before they were kept.
user_kind: resource type of the user."""

cards = Table(
    "cards",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("evaluation", String(36), ForeignKey("evaluations.id", ondelete="CASCADE"), nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("patient_key", String(64), nullable=False),
    Column("user_key", String(64)),
    Column("encounter_key", String(64)),
    Column("topic", String(100), nullable=False),
    Column("material", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_cards_patient", "tenant", "patient_key", "topic"),
)
"""material: keyed hashes of the facts that would make the card worth showing again when they change."""

suggestions = Table(
    "suggestions",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("card", String(36), ForeignKey("cards.uuid", ondelete="CASCADE"), nullable=False, index=True),
    Column("tenant", String(64), nullable=False),
    Column("what", String(200), nullable=False),
)
"""what: resource type of the draft, and our own name of the order, drug or finding."""

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("service", String(64), nullable=False),
    Column("card", String(200), nullable=False, index=True),
    Column("outcome", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("accepted", Text, nullable=False),
    Column("reason_system", String(400)),
    Column("reason_code", String(200)),
    Column("comment", Text),
    Column("matched", Boolean, nullable=False),
    UniqueConstraint("tenant", "digest", name="uq_feedback_digest"),
)
"""comment is free text and may hold PHI: read under access control only, never logged."""

tokens = Table(
    "tokens",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("jti_hash", String(64), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False, index=True),
)

secrets = Table("secrets", metadata, Column("name", String(32), primary_key=True), Column("value", String(128)))
"""The key of the patient hashes, made on first use unless CDS_PSEUDONYM_KEY is set."""

sessions = Table(
    "sessions",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("browser", String(64), nullable=False, index=True),
    Column("tenant", String(64), nullable=False),
    Column("patient_key", String(64)),
    Column("version", Integer, nullable=False),
    Column("idle_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_sessions_patient", "tenant", "patient_key"),
)
"""Of the companion. name, browser: hashes of random secrets; a row without patient_key is a launch under way.
sealed: encrypted with CDS_SESSION_KEY (tokens, answers; never the chart)."""
