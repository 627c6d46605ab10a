"""Evaluations, cards, suggestions, feedback, tokens.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evaluations",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("patient_key", sa.String(64), nullable=False),
        sa.Column("user_key", sa.String(64)),
        sa.Column("encounter_key", sa.String(64)),
        sa.Column("knowledge_version", sa.String(32), nullable=False),
        sa.Column("grade", sa.String(16), nullable=False),
        sa.Column("card", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("decisions", sa.Text, nullable=False),
        sa.Column("incomplete", sa.Text, nullable=False),
        sa.Column("milliseconds", sa.Float, nullable=False),
    )
    op.create_index("ix_evaluations_tenant_at", "evaluations", ["tenant", "at_ms"])
    op.create_index("ix_evaluations_patient", "evaluations", ["tenant", "patient_key"])
    op.create_table(
        "cards",
        sa.Column("uuid", sa.String(36), primary_key=True),
        sa.Column("evaluation", sa.String(36), sa.ForeignKey("evaluations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("patient_key", sa.String(64), nullable=False),
        sa.Column("user_key", sa.String(64)),
        sa.Column("encounter_key", sa.String(64)),
        sa.Column("topic", sa.String(100), nullable=False),
        sa.Column("material", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_cards_patient", "cards", ["tenant", "patient_key", "topic"])
    op.create_table(
        "suggestions",
        sa.Column("uuid", sa.String(36), primary_key=True),
        sa.Column("card", sa.String(36), sa.ForeignKey("cards.uuid", ondelete="CASCADE"), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("what", sa.String(200), nullable=False),
    )
    op.create_index("ix_suggestions_card", "suggestions", ["card"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("card", sa.String(200), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("received_ms", sa.BigInteger, nullable=False),
        sa.Column("accepted", sa.Text, nullable=False),
        sa.Column("reason_system", sa.String(400)),
        sa.Column("reason_code", sa.String(200)),
        sa.Column("comment", sa.Text),
        sa.Column("matched", sa.Boolean, nullable=False),
        sa.UniqueConstraint("tenant", "digest", name="uq_feedback_digest"),
    )
    op.create_index("ix_feedback_card", "feedback", ["card"])
    op.create_table(
        "tokens",
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("jti_hash", sa.String(64), primary_key=True),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("first_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_tokens_expires_ms", "tokens", ["expires_ms"])
    op.create_table("secrets", sa.Column("name", sa.String(32), primary_key=True), sa.Column("value", sa.String(128)))


def downgrade() -> None:
    for table in ("secrets", "tokens", "feedback", "suggestions", "cards", "evaluations"):
        op.drop_table(table)
