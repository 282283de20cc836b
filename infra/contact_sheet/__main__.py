"""Pictures through the engine, drawn side by side to be looked at: `make contact-sheet`.

On the left of a pair is ours, on the right what libvips, or of the modes plain Pillow, makes of the same.
They should not differ but for CMYK without a profile, for which libvips has a printer's of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from infra.bench.peers import Missing
from infra.contact_sheet import modes, pairs
from infra.contact_sheet.cells import Cell, sheet

KEPT = Path(".local/contact-sheet")
GUIDE = Path(__file__).parent / "guide.jpg"
"""What the README shows."""


def main(folder: Annotated[Path, typer.Option(help="Where the sheets are written.")] = KEPT) -> None:
    """Draw them; return 1 where libvips cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, box in (("tall", modes.TALL), ("wide", modes.WIDE)):
        _write(folder / f"gravities {name}.png", modes.gravities(box), 9 if name == "tall" else 3)
    _write(folder / "sizes.png", modes.sizes(), 4)
    _write(GUIDE, modes.guide(), 5)
    try:
        groups = pairs.pairs(folder)
    except Missing as reason:
        print(f"without libvips: {reason}")
        raise typer.Exit(1) from None
    for name, cells in groups.items():
        _write(folder / f"{name}.png", cells, 4)


def _write(path: Path, cells: Iterable[Cell], columns: int) -> None:
    drawn: Sequence[Cell] = list(cells)
    sheet(drawn, columns).save(path)
    furthest = max((cell.difference for cell in drawn if cell.expected is not None), default=0.0)
    with Image.open(path) as image:
        print(f"{path}: {len(drawn)} cells, {image.width}x{image.height}, differing by up to {furthest:.1f}")


if __name__ == "__main__":
    typer.run(main)
