from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.images.options import ProcessingOptions

MAXIMUM_OUTPUTS = 50


class StoredSource(BaseModel):
    """A picture that was uploaded before; with `outputs`, a job that makes them all of it."""

    model_config = ConfigDict(extra="forbid")

    source: UUID
    """As `POST /file/upload` named it."""
    outputs: Annotated[list[ProcessingOptions], Field(min_length=1, max_length=MAXIMUM_OUTPUTS)] | None = None
