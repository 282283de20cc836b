from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.images.formats import SOURCE_MEDIA_TYPES
from shared.images.limits import LARGEST_EXACT
from shared.whole_numbers import WHOLE


class UploadRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    content_type: Annotated[str, Field(max_length=100, json_schema_extra={"enum": SOURCE_MEDIA_TYPES})]
    content_length: Annotated[int, Field(ge=1, le=LARGEST_EXACT, examples=[12_000_000]), WHOLE]
    """In bytes."""


class UploadTicket(BaseModel):
    """Leave to upload one picture, of the type and the length that were asked for."""

    source: str
    """Names the upload from then on, for this user alone."""
    url: str
    method: str
    headers: dict[str, str]
    """To be sent with it; `Content-Length` is written by whatever sends the body."""
    expires_in: int
    """In seconds."""
