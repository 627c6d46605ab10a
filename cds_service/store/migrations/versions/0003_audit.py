"""The audit trail: append-only by triggers, except that an erased patient may be blanked.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KEPT = ("seq", "at_ms", "tenant", "action", "what", "outcome", "detail", "commitment", "previous", "digest")
_SAME = " AND ".join(
    [*(f"NEW.{name} = OLD.{name}" for name in _KEPT), "COALESCE(NEW.actor,'') = COALESCE(OLD.actor,'')"]
)
_BLANKED = f"NEW.subject IS NULL AND NEW.salt IS NULL AND {_SAME}"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(64)),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("subject", sa.String(64)),
        sa.Column("salt", sa.String(32)),
        sa.Column("commitment", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
    )
    op.create_index("ix_audit_subject", "audit", ["tenant", "subject"])
    op.create_index("ix_audit_tenant_at", "audit", ["tenant", "at_ms"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP = 'UPDATE' THEN IF {_BLANKED} THEN RETURN NEW; END IF; END IF; "
            "RAISE EXCEPTION 'the audit trail is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_rows BEFORE UPDATE OR DELETE ON audit "
            "FOR EACH ROW EXECUTE FUNCTION audit_append_only()"
        )
        op.execute(
            "CREATE TRIGGER audit_all BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
        )
        return
    refuse = "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
    op.execute(f"CREATE TRIGGER audit_delete BEFORE DELETE ON audit {refuse}")
    op.execute(f"CREATE TRIGGER audit_update BEFORE UPDATE ON audit WHEN NOT ({_BLANKED}) {refuse}")


def downgrade() -> None:
    op.drop_table("audit")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_append_only()")
