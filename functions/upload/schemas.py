from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shared.images.formats import SOURCE_MEDIA_TYPES
from shared.images.limits import LARGEST_EXACT


def _whole(value: Any) -> Any:
    """Return 12.0 as 12: JSON has one kind of number (RFC 8259, 6; JSON Schema, 4.2.3)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class UploadRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    content_type: Annotated[str, Field(max_length=100, json_schema_extra={"enum": SOURCE_MEDIA_TYPES})]
    content_length: Annotated[
        int, Field(ge=1, le=LARGEST_EXACT, strict=True, examples=[12_000_000]), BeforeValidator(_whole)
    ]
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
