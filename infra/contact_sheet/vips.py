"""What libvips does, in the environment that has it.

`vips.py sources PHOTOGRAPH INTO`: writes the photograph in ways that Pillow does not write.
`vips.py references FOLDER INTO WIDTH`: of each file in the folder a PNG, upright, in sRGB, resized from all
of its pixels.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyvips

AS_ADOBE = {"intent": "relative", "black_point_compensation": True}
UNREAD = ("palette.bmp", "animation.avif")


def write_sources(photograph: Path, into: Path) -> None:
    image = pyvips.Image.new_from_file(str(photograph))
    printed = image.icc_transform("cmyk", input_profile="srgb", **AS_ADOBE)
    printed.write_to_file(str(into / "cmyk profile.jpg"), Q=95)
    wide = image.cast("ushort") * 257
    wide.copy(interpretation="rgb16").write_to_file(str(into / "16-bit rgb.png"))
    wide[1].copy(interpretation="grey16").write_to_file(str(into / "16-bit grey.png"))
    image.write_to_file(str(into / "interlaced.png"), interlace=True)


def write_references(folder: Path, into: Path, width: int) -> None:
    for source in folder.iterdir():
        # It reads neither BMP nor sequences of AVIF.
        if source.is_file() and source.name not in UNREAD:
            _reference(source, width).write_to_file(str(into / f"{source.name}.png"))


def _reference(source: Path, width: int) -> pyvips.Image:
    image = pyvips.Image.new_from_file(str(source)).autorot()
    if image.get_typeof("icc-profile-data") or image.interpretation == "cmyk":
        image = image.icc_transform("srgb", embedded=True, input_profile="cmyk", **AS_ADOBE)
    image = image.colourspace("srgb")
    scale = width / image.width
    upright = round(image.height * scale) / image.height
    if not image.hasalpha():
        return image.resize(scale, vscale=upright)
    return image.premultiply().resize(scale, vscale=upright).unpremultiply().cast("uchar")


if __name__ == "__main__":
    what, folder, into, *width = sys.argv[1:]
    if what == "sources":
        write_sources(Path(folder), Path(into))
    else:
        write_references(Path(folder), Path(into), int(width[0]))
