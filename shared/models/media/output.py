from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.models.media.meta import SCHEMA, MediaBase


class Output(MediaBase):
    """A picture that a job has made. Its bytes are in object storage."""

    __tablename__ = "outputs"

    job_id: Mapped[UUID] = mapped_column(
        ForeignKey(f"{SCHEMA}.jobs.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    """From 0, in the order of the job's `params`."""
    key: Mapped[str]
    """In the bucket."""
    width: Mapped[int]
    height: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger)
    content_type: Mapped[str]
