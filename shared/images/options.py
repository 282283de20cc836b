"""What a picture is made into, as a query, a preset and a queued job say it: imgproxy's vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import ParametersInvalid
from shared.images.limits import LARGEST_EXACT, MAXIMUM_OUTPUT_PIXELS_A_SIDE
from shared.whole_numbers import WHOLE

ResizingType = Literal["fit", "fill", "fill-down", "force"]
Gravity = Literal[
    "center", "north", "south", "east", "west", "northeast", "northwest", "southeast", "southwest"
]
RequestedFormat = Literal["auto", "jpeg", "png", "webp", "avif", "gif"]
Side = Annotated[int, Field(ge=1, le=MAXIMUM_OUTPUT_PIXELS_A_SIDE), WHOLE]

RESIZING_TYPE = Field(
    description="`fit` inside; `fill` and crop; `fill-down`, of a smaller source, in the shape asked "
    "for; `force` to the shape asked for."
)
FORMAT = Field(description="`auto` takes one that `Accept` names; left out, it is the source's.")
BACKGROUND = Field(pattern="^[0-9a-fA-F]{6}$", description="Under transparency, where the format has none.")
QUALITY = Field(ge=1, le=100, description="Left out, 80; of AVIF 65.")
MAX_BYTES = Field(ge=1, le=LARGEST_EXACT, description="The quality is lowered until it fits.")
PRESET = Field(
    description="A name from the configuration; these add to it.", json_schema_extra={"format": "preset"}
)
ONE_OF_THESE: list[Any] = [
    {"required": [name], "properties": {name: {"not": {"type": "null"}}}}
    for name in ("width", "height", "preset")
]


class ProcessingOptions(BaseModel):
    """A parameter that is not known is refused: a misspelt one would be lost without a word."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"anyOf": ONE_OF_THESE})

    width: Side | None = None
    height: Side | None = None
    resizing_type: Annotated[ResizingType, RESIZING_TYPE] = "fit"
    gravity: Annotated[Gravity, Field(description="What a crop keeps, as the picture is seen.")] = "center"
    enlarge: Annotated[bool, Field(description="Whether it may become larger than the source.")] = False
    dpr: Annotated[
        float, Field(ge=1, le=4, allow_inf_nan=False, description="Pixels of the device a pixel.")
    ] = 1
    format: Annotated[RequestedFormat | None, FORMAT] = None
    quality: Annotated[int | None, QUALITY, WHOLE] = None
    max_bytes: Annotated[int | None, MAX_BYTES, WHOLE] = None
    background: Annotated[str, BACKGROUND] = "ffffff"
    keep_metadata: Annotated[bool, Field(description="Keep EXIF, without positions and maker's notes.")] = (
        False
    )
    preset: Annotated[str | None, PRESET] = None

    def with_preset(self, presets: Mapping[str, ProcessingOptions]) -> ProcessingOptions:
        """Return these options with those of their preset that they do not set themselves.

        Raises ParametersInvalid for a preset that there is not, and where there is no side at all.
        """
        options = self if self.preset is None else self._over(presets)
        if options.width is None and options.height is None:
            raise ParametersInvalid("width, height or both are needed, or a preset that has one.")
        return options

    def _over(self, presets: Mapping[str, ProcessingOptions]) -> ProcessingOptions:
        preset = presets.get(self.preset or "")
        if preset is None:
            raise ParametersInvalid(
                f"There is no preset of this name; there are: {', '.join(presets) or 'none'}."
            )
        # Null undoes what the preset says.
        own = self.model_dump(exclude_unset=True, exclude={"preset"})
        return ProcessingOptions.model_validate(preset.as_parameters() | own)

    def as_parameters(self) -> dict[str, Any]:
        """Return what is set, by name, in plain values: `model_validate` makes the same options of it.

        There is no null among them: it is as good as nothing.
        """
        return self.model_dump(exclude_unset=True, exclude_none=True, exclude={"preset"})

    @property
    def background_colour(self) -> tuple[int, int, int]:
        red, green, blue = bytes.fromhex(self.background)
        return red, green, blue
