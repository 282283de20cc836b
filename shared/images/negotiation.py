"""The format that a caller would rather have (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from shared.images.formats import FORMATS, WRITTEN_AS, OutputFormat
from shared.images.options import RequestedFormat

PREFERRED: Sequence[OutputFormat] = ("avif", "webp", "jpeg", "png", "gif")
"""Where a caller likes two formats as well: the one of fewer bytes."""
ANIMATED = frozenset(("webp", "png", "gif"))
"""The formats that are written with all frames."""


def accepted_formats(accept: str) -> tuple[OutputFormat, ...]:
    """Return the formats that an Accept header names, the best first.

    `*/*` and `image/*` name none: who sends them, as most programs do, may be able to show no more than JPEG.
    """
    weights = dict(_weighed(media_range) for media_range in accept.split(","))
    named = [name for name in PREFERRED if weights.get(FORMATS[name].media_type, 0.0) > 0]
    return tuple(sorted(named, key=lambda name: -weights[FORMATS[name].media_type]))


def _weighed(media_range: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in media_range.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name, float(parameter[2:])
            except ValueError:
                return name, 0.0
    return name, 1.0


def chosen_format(
    asked: RequestedFormat | None, accepted: Sequence[OutputFormat], source_format: str, is_animated: bool
) -> OutputFormat:
    """Return the format to write; `source_format` is Pillow's name of the source's."""
    if asked is not None and asked != "auto":
        return asked
    suitable = [name for name in accepted if name in ANIMATED or not is_animated] if asked else []
    return suitable[0] if suitable else WRITTEN_AS[source_format]
