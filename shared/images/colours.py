"""Colours: by the source's own profile into sRGB."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageCms

from shared.images.limits import MAXIMUM_PROFILE_BYTES

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
PROFILE_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}
"""Pillow's mode for a profile's colour space."""

INTENT = (ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION)
"""What Photoshop separates by unless told otherwise: so a print comes back as what it was made from."""

KEPT_PROFILE_BYTES = 2**20
"""Print profiles, which many pictures share and which take the longest to prepare, have some 650 KB."""
KEPT_PROFILES = 8


def to_srgb(image: Image.Image, space: str) -> Image.Image:
    """Return the picture in sRGB; `space` is the mode of the source's colours alone.

    After the resize, as there are fewer of them. A profile that cannot be used tells nothing of the colours.
    """
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and len(profile) <= MAXIMUM_PROFILE_BYTES:
        try:
            return _convert(image, space, profile)
        except (ImageCms.PyCMSError, KeyError, OSError, ValueError):
            pass
    return image.convert("RGB") if image.mode == "CMYK" else image


def _convert(image: Image.Image, space: str, profile: bytes) -> Image.Image:
    mode, transform = _transform(profile)
    if mode != space and (space, mode) != ("L", "RGB"):
        raise ValueError("the profile is of another colour space")
    colours = transform.apply(image if image.mode == mode else image.convert(mode))
    if image.mode == "RGBA":
        colours.putalpha(image.getchannel("A"))
    return colours.convert("L") if image.mode == "L" else colours


def _transform(profile: bytes) -> tuple[str, ImageCms.ImageCmsTransform]:
    """Return the mode that a profile is for, and its way to sRGB."""
    return (_kept_transform if len(profile) <= KEPT_PROFILE_BYTES else _new_transform)(profile)


def _new_transform(profile: bytes) -> tuple[str, ImageCms.ImageCmsTransform]:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    mode = PROFILE_MODES[source.profile.xcolor_space.strip()]
    return mode, ImageCms.buildTransform(source, SRGB, mode, "RGB", *INTENT)


_kept_transform = lru_cache(KEPT_PROFILES)(_new_transform)
"""Making one takes longer than most pictures need of it; a camera's are all the same."""
