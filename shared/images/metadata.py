"""What of a source's metadata may be kept: EXIF, and nothing of where the picture was taken."""

from __future__ import annotations

from PIL import ExifTags, Image
from PIL.ExifTags import Base

from shared.images.limits import MAXIMUM_EXIF_BYTES

KEPT = frozenset(
    (Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime, Base.Artist, Base.Copyright)
)
"""Of the picture itself; the rest tells how the source was stored."""
DROPPED = frozenset(
    (
        Base.MakerNote,
        Base.UserComment,
        Base.ExifImageWidth,
        Base.ExifImageHeight,
        Base.ExifInteroperabilityOffset,
    )
)
"""Of the camera's: makers and apps write positions and names into the first two."""


def kept_exif(image: Image.Image) -> bytes:
    """Return the EXIF to write with the result; empty where there is none, or it is broken."""
    if len(image.info.get("exif", b"")) > MAXIMUM_EXIF_BYTES:
        return b""
    try:
        source = image.getexif()
        kept = Image.Exif()
        kept.update({tag: value for tag, value in source.items() if tag in KEPT})
        camera = source.get_ifd(ExifTags.IFD.Exif)
        if camera := {tag: value for tag, value in camera.items() if tag not in DROPPED}:
            kept.get_ifd(ExifTags.IFD.Exif).update(camera)
        return kept.tobytes() if kept else b""
    except Exception:
        # Broken metadata is no reason to refuse a picture that can be seen.
        return b""
