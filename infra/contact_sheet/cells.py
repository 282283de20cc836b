"""What a sheet is drawn of: pictures side by side under a line that says what they are."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageStat

MARGIN, LINE = 6, 14
PAPER, INK = (245, 245, 245), (20, 20, 20)
LIGHT, DARK = (255, 255, 255), (205, 205, 205)
CHECK = 8
"""Pixels a side of the squares that show through what is transparent."""


@dataclass(frozen=True, slots=True)
class Cell:
    label: str
    picture: Image.Image
    expected: Image.Image | None = None

    @property
    def lines(self) -> list[str]:
        if self.expected is None:
            return [self.label]
        return [self.label, f"differs by {self.difference:.1f}"]

    @property
    def difference(self) -> float:
        """Return by how much they differ in the mean of a channel, of 255; all of it where their sizes do."""
        if self.expected is None:
            return 0.0
        if self.picture.size != self.expected.size:
            return 255.0
        both = map(on_squares, (self.picture, self.expected))
        return float(max(ImageStat.Stat(ImageChops.difference(*both)).mean))


def shown(content: bytes) -> Image.Image:
    """Return a picture as a viewer shows it."""
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGBA")


def on_squares(image: Image.Image) -> Image.Image:
    squares = Image.new("RGB", image.size, LIGHT)
    draw = ImageDraw.Draw(squares)
    for top in range(0, image.height, CHECK):
        for left in range(top % (2 * CHECK), image.width, 2 * CHECK):
            draw.rectangle((left, top, left + CHECK - 1, top + CHECK - 1), DARK)
    squares.paste(image, mask=image.convert("RGBA").getchannel("A"))
    return squares


def sheet(cells: Sequence[Cell], columns: int) -> Image.Image:
    """Return the cells in rows of so many, all as large as the largest."""
    sizes = [_size(cell) for cell in cells]
    width, height = max(width for width, _ in sizes), max(height for _, height in sizes)
    rows = -(-len(cells) // columns)
    drawn = Image.new("RGB", (columns * width + MARGIN, rows * height + MARGIN), PAPER)
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        _draw(drawn, cell, MARGIN + column * width, MARGIN + row * height)
    return drawn


def _pictures(cell: Cell) -> list[Image.Image]:
    return [cell.picture] if cell.expected is None else [cell.picture, cell.expected]


def _size(cell: Cell) -> tuple[int, int]:
    pictures, texts = _pictures(cell), [_font().getlength(line) for line in cell.lines]
    width = sum(picture.width + 2 for picture in pictures)
    height = max(picture.height for picture in pictures) + LINE * len(cell.lines)
    return round(max(width, *texts)) + MARGIN, height + MARGIN


def _draw(drawn: Image.Image, cell: Cell, left: int, top: int) -> None:
    draw = ImageDraw.Draw(drawn)
    for line in cell.lines:
        draw.text((left, top), line, INK, _font())
        top += LINE
    for picture in _pictures(cell):
        drawn.paste(on_squares(picture), (left, top))
        left += picture.width + 2


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(11)
