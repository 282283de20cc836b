"""What a job's `auto` may be."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "media"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("accepted", JSONB(), nullable=True), schema=SCHEMA)


def downgrade() -> None:
    op.drop_column("jobs", "accepted", schema=SCHEMA)
