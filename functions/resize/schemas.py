from uuid import UUID

from pydantic import BaseModel, ConfigDict


class StoredSource(BaseModel):
    """A picture that was uploaded before."""

    model_config = ConfigDict(extra="forbid")

    source: UUID
    """As `POST /file/upload` named it."""
