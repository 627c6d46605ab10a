"""Sealed sessions of the companion, so that any process can go on with them.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("patient_key", sa.String(64)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("idle_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_ms", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_sessions_browser", "sessions", ["browser"])
    op.create_index("ix_sessions_patient", "sessions", ["tenant", "patient_key"])


def downgrade() -> None:
    op.drop_table("sessions")
