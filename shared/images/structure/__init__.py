"""How a file is built, walked before Pillow reads it.

Its readers, and the libraries under them, do as much work as the bytes ask for. Here that is bounded, and no
more of a format is read than it takes.
"""

from __future__ import annotations

from shared.images.limits import Limits
from shared.images.structure import avif, jpeg, png, tiff


def check_structure(source: bytes, limits: Limits) -> None:
    """Raises SourceUnreadable, SourceUnsupported or SourceTooManyPixels.

    Where the file is cut off, it may be an IndexError or the like. What is none of these formats
    passes: Pillow refuses it.
    """
    if source.startswith(jpeg.SIGNATURE):
        jpeg.check(source)
    elif source.startswith(png.SIGNATURE):
        png.check(source)
    elif source.startswith(tiff.SIGNATURES):
        tiff.check(source, limits)
    elif source[4:8] == avif.SIGNATURE:
        avif.check(source, limits)
