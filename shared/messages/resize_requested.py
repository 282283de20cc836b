from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from shared.messages.envelope import Envelope, Identifier

MAXIMUM_OUTPUTS = 50
MAXIMUM_INLINE_BYTES = 256 * 1024
"""A larger source travels in object storage, and the message names it (a claim check)."""
MAXIMUM_KEY_BYTES = 1024
"""Of an object in S3."""

Parameters = dict[
    Annotated[str, Field(min_length=1, max_length=32)],
    Annotated[str, Field(max_length=64)] | int | Annotated[float, Field(allow_inf_nan=False)] | bool,
]
"""Names and values as the query of POST /file/resize has them."""


class InlineSource(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    bytes: Annotated[bytes, Field(max_length=MAXIMUM_INLINE_BYTES)]


class StoredSource(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    bucket: Annotated[str, Field(min_length=3, max_length=63)]
    key: Annotated[str, Field(min_length=1, max_length=MAXIMUM_KEY_BYTES)]
    etag: Annotated[str, Field(max_length=256)]


class ResizeRequested(Envelope):
    """A picture is to be resized: what a job's record in the requested and the retry topic says."""

    type_: ClassVar[str] = "image.resize.requested"

    user: Identifier
    job: Identifier
    attempt: int = Field(ge=1, le=1000)
    source: InlineSource | StoredSource
    outputs: Annotated[list[Parameters], Field(min_length=1, max_length=MAXIMUM_OUTPUTS)]
    accepted: Annotated[list[Annotated[str, Field(max_length=8)]], Field(max_length=8)] | None = None
    """The formats that `auto` may take, the best first."""
