from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.models.identity.meta import SCHEMA as IDENTITY
from shared.models.identity.user import User  # noqa: F401  (what `user_id` refers to)
from shared.models.media.meta import SCHEMA, MediaBase

QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"


class Job(MediaBase):
    """A picture that is resized later.

    - Queued, then running, then done or failed, which it stays. A passing failure puts it back to queued.
    - Whoever runs it holds the lease; when that is over, another may take it.
    """

    __tablename__ = "jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    user_id: Mapped[UUID] = mapped_column(ForeignKey(f"{IDENTITY}.users.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(server_default=QUEUED)
    params: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """Of each output, in order."""
    accepted: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    """What `auto` may be, the best first."""
    source_key: Mapped[str | None]
    """None where the source travelled in the message: then that alone can bring the job to its end."""
    source_etag: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    started_at: Mapped[datetime | None]
    """Of the first attempt."""
    sent_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    """When its record was last sent, or put off for a later attempt."""
    finished_at: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    lease_expires_at: Mapped[datetime | None]
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        CheckConstraint(f"status IN ('{QUEUED}', '{RUNNING}', '{DONE}', '{FAILED}')", name="status"),
        CheckConstraint(f"(status IN ('{DONE}', '{FAILED}')) = (finished_at IS NOT NULL)", name="finished"),
        Index(None, "user_id", "created_at", "id"),
        Index("jobs_unfinished_idx", "sent_at", postgresql_where=f"status IN ('{QUEUED}', '{RUNNING}')"),
        Index("jobs_finished_at_idx", "finished_at"),
        {"schema": SCHEMA},
    )
