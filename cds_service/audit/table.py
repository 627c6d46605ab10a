"""The table of the audit trail. Nothing is ever changed or deleted in it but the name of an erased patient."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

audit = Table(
    "audit",
    MetaData(),
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("actor", String(64)),
    Column("action", String(16), nullable=False),
    Column("what", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("subject", String(64)),
    Column("salt", String(32)),
    Column("commitment", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Index("ix_audit_subject", "tenant", "subject"),
    Index("ix_audit_tenant_at", "tenant", "at_ms"),
)
"""actor: keyed hash of the user; none for the service itself. subject: keyed hash of the patient, with its salt; both
are blanked when the patient is erased. commitment: hash of both, which stays. digest: keyed hash over everything but
subject and salt, and over the digest of the row before."""
