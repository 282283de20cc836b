"""Every mode with every gravity, of a photograph, and what plain Pillow makes of it by the same words."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from PIL import Image, ImageOps

from infra.contact_sheet.cells import Cell, shown
from shared.images.geometry import Size
from shared.images.limits import Limits
from shared.images.options import Gravity, ProcessingOptions, ResizingType
from shared.images.pipeline import resize

PHOTOGRAPH = Path(__file__).parents[1] / "bench" / "samples" / "chelsea.jpg"
LIMITS = Limits(source_bytes=10**8, source_pixels=10**8)
TALL, WIDE, LARGE = (60, 100), (150, 60), (160, 160)
GUIDE = (110, 110)
SMALL = (90, 60)
"""A source that is smaller than LARGE."""
LANCZOS = Image.Resampling.LANCZOS


def made(source: bytes, **options: Any) -> Image.Image:
    return shown(resize(source, ProcessingOptions(**options), LIMITS).content)


def gravities(box: Size) -> Iterator[Cell]:
    """Yield the box in every mode with every gravity."""
    photograph, source = Image.open(PHOTOGRAPH).convert("RGB"), PHOTOGRAPH.read_bytes()
    for mode in get_args(ResizingType):
        for gravity in get_args(Gravity):
            picture = made(source, **_box(box), resizing_type=mode, gravity=gravity, format="png")
            yield Cell(f"{mode} {gravity}", picture, _expected(photograph, box, mode, gravity))


def _expected(photograph: Image.Image, box: Size, mode: ResizingType, gravity: Gravity) -> Image.Image:
    if mode == "fit":
        return ImageOps.contain(photograph, box, LANCZOS)
    if mode == "force":
        return photograph.resize(box, LANCZOS)
    x = 0.0 if "west" in gravity else 1.0 if "east" in gravity else 0.5
    y = 0.0 if "north" in gravity else 1.0 if "south" in gravity else 0.5
    return ImageOps.fit(photograph, box, LANCZOS, centering=(x, y))


def sizes() -> Iterator[Cell]:
    """Yield what becomes of a source that is smaller than the box, with and without `enlarge` and `dpr`."""
    small = _small()
    for mode in get_args(ResizingType):
        for more in ({}, {"enlarge": True}, {"dpr": 2}, {"dpr": 2, "enlarge": True}):
            said = " ".join((mode, *(f"{name}={str(value).lower()}" for name, value in more.items())))
            picture = made(small, **_box(LARGE), resizing_type=mode, format="png", **more)
            yield Cell(f"{said}: {picture.width}x{picture.height}", picture)
    for dpr in (1, 1.5, 2, 4):
        picture = made(PHOTOGRAPH.read_bytes(), width=80, dpr=dpr)
        yield Cell(f"width=80 dpr={dpr}: {picture.width}x{picture.height}", picture)


def _small() -> bytes:
    output = io.BytesIO()
    with Image.open(PHOTOGRAPH) as photograph:
        photograph.resize(SMALL, LANCZOS).save(output, "PNG")
    return output.getvalue()


def guide() -> Iterator[Cell]:
    """Yield what helps to choose: each mode, and the gravities where they tell."""
    source = PHOTOGRAPH.read_bytes()
    yield Cell("the source, 451x300", made(source, height=GUIDE[1]))
    for mode in get_args(ResizingType):
        yield Cell(f"{mode} {GUIDE[0]}x{GUIDE[1]}", made(source, **_box(GUIDE), resizing_type=mode))
    for box, gravities in ((TALL, ("west", "center", "east")), (WIDE, ("north", "south"))):
        for gravity in gravities:
            picture = made(source, **_box(box), resizing_type="fill", gravity=gravity)
            yield Cell(f"fill {box[0]}x{box[1]} {gravity}", picture)
    small = _small()
    for mode, more in (("fill", {}), ("fill-down", {}), ("fill", {"enlarge": True})):
        said = "".join(f" {name}={str(value).lower()}" for name, value in more.items())
        picture = made(small, **_box(GUIDE), resizing_type=mode, **more)
        yield Cell(f"of {SMALL[0]}x{SMALL[1]}: {mode}{said}", picture)


def _box(box: Size) -> dict[str, int]:
    return {"width": box[0], "height": box[1]}
