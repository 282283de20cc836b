"""Small pictures of every format that is read, as many kinds of each as Pillow writes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from PIL import Image

SIZE = (40, 30)


def seeds() -> list[bytes]:
    return [_encoded(image, name, options) for image, name, options in _kinds()]


def _encoded(image: Image.Image, name: str, options: dict[str, Any]) -> bytes:
    output = io.BytesIO()
    image.save(output, name, **options)
    return output.getvalue()


def _kinds() -> Iterator[tuple[Image.Image, str, dict[str, Any]]]:
    gradients = [Image.linear_gradient("L"), Image.radial_gradient("L"), Image.effect_noise((256, 256), 60)]
    colour = Image.merge("RGB", gradients).resize(SIZE)
    grey, clear, print_ = colour.convert("L"), colour.convert("RGBA"), colour.convert("CMYK")
    clear.putalpha(grey)
    palette, wide = colour.quantize(16), grey.convert("I").point(lambda value: value * 257).convert("I;16")
    frames: dict[str, Any] = {"save_all": True, "append_images": [clear.rotate(90 * turn) for turn in (1, 2)]}
    exif = Image.Exif()
    exif[0x0112] = 6
    described = {"exif": exif.tobytes(), "icc_profile": _profile()}
    for name in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
        yield colour, name, described
        yield grey, name, {}
    yield from (
        (colour, "JPEG", {"progressive": True}),
        (print_, "JPEG", {}),
        (colour, "JPEG", {"subsampling": 0}),
    )
    yield from ((clear, "PNG", {}), (palette, "PNG", {}), (wide, "PNG", {}), (clear, "PNG", frames))
    yield from ((clear, "WEBP", {"lossless": True}), (clear, "WEBP", frames), (clear, "AVIF", frames))
    yield from ((palette, "GIF", {}), (clear, "GIF", frames), (colour, "BMP", {}), (palette, "BMP", {}))
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd"):
        yield colour, "TIFF", {"compression": compression}
    yield from (
        (wide, "TIFF", {}),
        (clear, "TIFF", {}),
        (print_, "TIFF", {}),
        (grey.convert("1"), "TIFF", {}),
    )


def _profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
