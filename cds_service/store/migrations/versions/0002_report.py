"""Bands for the subgroups of the committee report, and who asked: sex, age band, kind of user.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = (("sex", 8), ("age_band", 8), ("user_kind", 24))


def upgrade() -> None:
    for name, length in _COLUMNS:
        op.add_column("evaluations", sa.Column(name, sa.String(length)))
    op.create_index("ix_evaluations_at", "evaluations", ["at_ms"])


def downgrade() -> None:
    """No batch mode: it makes SQLite's table anew, and dropping the old one would take its cards with it."""
    op.drop_index("ix_evaluations_at", "evaluations")
    for name, _ in _COLUMNS:
        op.drop_column("evaluations", name)
