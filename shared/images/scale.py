"""The resize itself: Lanczos, by SIMD, of what a crop leaves."""

from __future__ import annotations

from cykooz_resizer import CropBox, FilterType, ResizeAlg, ResizeOptions, Resizer
from PIL import Image

from shared.images.geometry import Box, Size

LANCZOS = ResizeAlg.convolution(FilterType.lanczos3)


def scale(image: Image.Image, crop: Box, size: Size) -> Image.Image:
    """Return that part of the picture in this size, with the `info` of the picture."""
    if image.size == size == (crop.width, crop.height):
        # Some writers take all pictures of a file that they are given, be they pages.
        return image.copy()
    scaled = Image.new(image.mode, size)
    # A new one each time: one that is kept keeps its buffers, of the largest picture so far.
    Resizer().resize_pil(image, scaled, ResizeOptions(resize_alg=LANCZOS, crop_box=_inside(crop, image.size)))
    scaled.info = image.info
    return scaled


def _inside(crop: Box, size: Size) -> CropBox:
    """Rounding may have put it a hair outside of the picture, which the resizer refuses."""
    left, top = max(0.0, crop.left), max(0.0, crop.top)
    return CropBox(left, top, min(crop.width, size[0] - left), min(crop.height, size[1] - top))
