"""What a picture is resized to, as the query of POST /file/resize and the outputs of a job say it."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.images.formats import OutputFormat
from shared.images.limits import MAXIMUM_OUTPUT_PIXELS_A_SIDE

Side = Annotated[int, Field(ge=1, le=MAXIMUM_OUTPUT_PIXELS_A_SIDE)]


class ResizeQuery(BaseModel):
    """A parameter that is not known is refused: a misspelt one would be lost without a word."""

    model_config = ConfigDict(extra="forbid")

    width: Side | None = None
    height: Side | None = None
    format: OutputFormat | None = None
    quality: Annotated[int, Field(ge=1, le=100)] | None = None


class ResizeParameters(ResizeQuery):
    """Those of one output."""

    @model_validator(mode="after")
    def _has_a_side(self) -> Self:
        if self.width is None and self.height is None:
            raise ValueError("width, height or both are needed")
        return self
