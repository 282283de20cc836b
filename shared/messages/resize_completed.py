from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from shared.messages.envelope import Envelope, Identifier
from shared.messages.resize_requested import MAXIMUM_OUTPUTS, Parameters


class CompletedOutput(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    params: Parameters
    key: str
    width: int
    height: int
    bytes: int
    content_type: str


class ResizeCompleted(Envelope):
    """A job is done. Sent at least once, with the same `id` each time."""

    type_: ClassVar[str] = "image.resize.completed"

    user: Identifier
    job: Identifier
    attempt: int = Field(ge=1)
    outputs: Annotated[list[CompletedOutput], Field(max_length=MAXIMUM_OUTPUTS)]
