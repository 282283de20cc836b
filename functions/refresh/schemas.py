from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field


class RefreshRequest(BaseModel):
    refresh_token: Annotated[str, Field(max_length=512)]


class OwnSession(BaseModel):
    """`current` is the one that the access token belongs to; `expires_at` is put off by each refresh."""

    id: UUID
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    current: bool


class SessionList(BaseModel):
    sessions: list[OwnSession]
