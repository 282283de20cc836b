"""Every kind of source, ours beside libvips's: both from the same file."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from PIL import Image, ImageSequence

from infra.bench import peers
from infra.contact_sheet import sources
from infra.contact_sheet.cells import Cell, shown
from infra.contact_sheet.modes import LIMITS, PHOTOGRAPH, made
from infra.contact_sheet.sources import Written
from shared.images.options import ProcessingOptions
from shared.images.pipeline import resize

WIDTH = 120
STORED_WIDTH = 400
PROGRAM = Path(__file__).parent / "vips.py"
GROUPS: Mapping[str, Callable[[Image.Image], Iterator[Written]]] = {
    "orientations": sources.orientations,
    "colours": sources.colours,
    "transparency": sources.transparency,
    "animations": sources.animations,
}


def pairs(folder: Path) -> dict[str, list[Cell]]:
    """Return the cells of each sheet; the files are kept in the folder. Raises peers.Missing."""
    photograph = Image.open(PHOTOGRAPH).convert("RGB")
    photograph.thumbnail((STORED_WIDTH, STORED_WIDTH))
    photograph.save(folder / "photograph.png")
    for group in GROUPS:
        (folder / group).mkdir(exist_ok=True)
    _vips("sources", folder / "photograph.png", folder / "colours")
    for group, written in GROUPS.items():
        for name, image, options in written(photograph):
            image.save(folder / group / name, **options)
    _write_ycck(folder / "colours")
    cells = {group: list(_cells(folder / group)) for group in GROUPS}
    cells["transparency"] += _backgrounds(folder / "transparency" / "alpha.png")
    cells["animations"] += _frames(folder / "animations")
    return cells


def _write_ycck(folder: Path) -> None:
    """Write the CMYK JPEGs of the folder in YCCK too."""
    for name in ("cmyk.jpg", "cmyk profile.jpg"):
        with Image.open(folder / name) as printed:
            output = io.BytesIO()
            profile = printed.info.get("icc_profile")
            sources.ycck_bands(printed).save(output, "JPEG", quality=95, icc_profile=profile)
        (folder / name.replace("cmyk", "ycck")).write_bytes(sources.ycck(output.getvalue()))


def _vips(*arguments: str | Path) -> None:
    subprocess.run([peers.python(), PROGRAM, *arguments], check=True)


def _cells(folder: Path) -> Iterator[Cell]:
    references = folder / "references"
    references.mkdir(exist_ok=True)
    _vips("references", folder, references, str(WIDTH))
    for source in sorted(path for path in folder.iterdir() if path.is_file()):
        output = "jpeg" if source.name.startswith("animation") else "png"
        picture = made(source.read_bytes(), width=WIDTH, format=output)
        reference = references / f"{source.name}.png"
        yield Cell(source.name, picture, shown(reference.read_bytes()) if reference.exists() else None)


def _backgrounds(source: Path) -> Iterable[Cell]:
    """What is transparent, in the format that has no transparency."""
    for background in ("ffffff", "000000", "336699"):
        picture = made(source.read_bytes(), width=WIDTH, format="jpeg", background=background)
        with Image.open(source) as image:
            flat = Image.new("RGBA", image.size, f"#{background}")
            flat.alpha_composite(image.convert("RGBA"))
        expected = flat.resize(picture.size, Image.Resampling.LANCZOS)
        yield Cell(f"jpeg background={background}", picture, expected)
    for output in ("webp", "avif", "gif"):
        yield Cell(f"alpha.png as {output}", made(source.read_bytes(), width=WIDTH, format=output))


def _frames(folder: Path) -> Iterable[Cell]:
    """All frames of what stays an animation."""
    for name in ("animation.gif", "animation.webp", "animation.png"):
        picture = resize((folder / name).read_bytes(), ProcessingOptions(width=WIDTH), LIMITS)
        with Image.open(io.BytesIO(picture.content)) as image:
            for number, frame in enumerate(ImageSequence.Iterator(image), 1):
                yield Cell(f"{name} frame {number}", frame.convert("RGBA"))
