"""The audit trail, and of each block of an account whether it has been told there."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import INET

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = "identity"


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("account", sa.LargeBinary(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("address", INET(), nullable=True),
        sa.Column("user_agent", sa.String(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="audit_events_pkey"),
        schema=SCHEMA,
    )
    op.create_index("audit_events_user_id_at_idx", "audit_events", ["user_id", "at"], schema=SCHEMA)
    op.create_index("audit_events_at_idx", "audit_events", ["at"], schema=SCHEMA)
    op.add_column(
        "attempts", sa.Column("refusal_told_at", sa.DateTime(timezone=True), nullable=True), schema=SCHEMA
    )


def downgrade() -> None:
    op.drop_column("attempts", "refusal_told_at", schema=SCHEMA)
    op.drop_table("audit_events", schema=SCHEMA)
