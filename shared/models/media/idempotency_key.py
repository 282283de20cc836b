from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from shared.models.identity.meta import SCHEMA as IDENTITY
from shared.models.media.meta import SCHEMA, MediaBase


class IdempotencyKey(MediaBase):
    """A caller's name for a request, so that sent again it makes no second job."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey(f"{IDENTITY}.users.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    """SHA-256 of what was asked for."""
    job_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.jobs.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
