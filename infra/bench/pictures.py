"""The picture engine beside others: the same pictures, in processes of their own, in turn on one core."""

from __future__ import annotations

import io
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from PIL import Image

from infra.bench import peers
from infra.bench.engine import OURS, PLAIN, SHARP_EQUAL, Engine, Job, Measured, engines
from infra.bench.inputs import FOLDER, inputs
from infra.bench.table import Table
from shared.images.png_writer import encode

PASSES, ROUNDS = 3, 3
WIDTH = 800
COLUMNS = ("picture", "engine", "CPU ms", "of plain", "wall ms", "peak MB", "bytes", "PSNR dB", "SSIM")

Fidelity = dict[str, dict[str, float]]
"""By the path of a picture: PSNR in dB, and SSIM."""


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    source: str
    format: str
    targets: tuple[tuple[Engine | str, float], ...]
    """What our CPU is to be at most, of whose."""


CASES = (
    Case("JPEG 12 MP → JPEG", "jpeg-12mp.jpg", "jpeg", ((PLAIN.name, 0.22), (SHARP_EQUAL, 0.90))),
    Case("JPEG 2 MP → JPEG", "jpeg-2mp.jpg", "jpeg", ((PLAIN.name, 0.65), (SHARP_EQUAL, 0.85))),
    Case("PNG 4 MP → PNG", "png-4mp.png", "png", ((PLAIN.name, 0.40),)),
    Case("PNG 4 MP → JPEG", "png-4mp.png", "jpeg", ((PLAIN.name, 0.55),)),
    Case("WebP 4 MP → WebP", "webp-4mp.webp", "webp", ((SHARP_EQUAL, 0.85),)),
    Case("WebP 4 MP → AVIF", "webp-4mp.webp", "avif", ()),
)


def measure() -> Iterator[Table]:
    """Yield all that was measured, and what the design asks of it."""
    found, notes = engines()
    table = Table(f"Pictures: to {WIDTH} px, one core, medians of {PASSES * ROUNDS}", COLUMNS, notes=notes)
    targets = Table("Pictures: what is asked of our CPU", ("picture", "against", "ratio", "at most", ""))
    nearness: dict[str, dict[str, list[str]]] = {}
    for case in CASES:
        measured = _in_turn(case, found)
        if case.source not in nearness:
            nearness[case.source] = _fidelities(case, found)
        plain = measured[PLAIN.name].cpu_median
        for name, one in measured.items():
            table.rows.append([case.name, name, *_cells(one, plain), *nearness[case.source][name]])
        targets.rows.extend(_judged(case, measured))
    targets.rows.extend(_png_writing())
    yield table
    yield targets


def _in_turn(case: Case, found: list[Engine]) -> dict[str, Measured]:
    """Run A B C A B C: a machine's speed drifts."""
    measured = {engine.name: Measured() for engine in found}
    for _ in range(PASSES):
        for engine in found:
            engine.run(_job(case.source, case.format), ROUNDS, measured[engine.name])
    return measured


def _job(source: str, output_format: str, name: str = "output") -> Job:
    path = inputs() / source
    with Image.open(path) as picture:
        size = WIDTH, round(picture.height * WIDTH / picture.width)
    return Job(path, output_format, size, FOLDER.absolute() / f"{name}.{output_format}")


def _cells(measured: Measured, plain: float) -> list[str]:
    cpu = measured.cpu_median
    peak = f"{measured.peak / 1e6:.0f}"
    return [f"{cpu:.1f}", f"{cpu / plain:.2f}", f"{median(measured.wall):.1f}", peak, f"{measured.bytes:,}"]


def _fidelities(case: Case, found: list[Engine]) -> dict[str, list[str]]:
    """Compare what each makes of a source before it is encoded, for which it writes a PNG."""
    outputs = {}
    for engine in found:
        job = _job(case.source, "png", engine.name.split(":")[0])
        engine.run(job, 1, Measured())
        outputs[engine.name] = job.output
    reference = _reference(case.source, job.size)
    try:
        command = [peers.python(), Path(__file__).parent / "engines" / "fidelity.py", reference]
    except peers.Missing:
        return {name: ["", ""] for name in outputs}
    ran = subprocess.run([*command, *outputs.values()], stdout=subprocess.PIPE, check=True)
    found_out: Fidelity = json.loads(ran.stdout)
    return {
        name: [f"{found_out[str(path)]['psnr']:.1f}", f"{found_out[str(path)]['ssim']:.4f}"]
        for name, path in outputs.items()
    }


def _reference(source: str, size: tuple[int, int]) -> Path:
    """Decode in full, and resize in floating point by Lanczos, which Pillow does to its mode F."""
    with Image.open(inputs() / source) as picture:
        bands = [
            band.convert("F").resize(size, Image.Resampling.LANCZOS).point(lambda value: value * 1 + 0.5)
            for band in picture.convert("RGB").split()
        ]
    path = FOLDER.absolute() / "reference.png"
    Image.merge("RGB", [band.convert("L") for band in bands]).save(path)
    return path


def _judged(case: Case, measured: dict[str, Measured]) -> Iterator[list[str]]:
    for against, limit in case.targets:
        if against in measured:
            yield _verdict(
                case.name, against, measured[OURS.name].cpu_median / measured[against].cpu_median, limit
            )


def _verdict(what: str, against: str, ratio: float, limit: float) -> list[str]:
    return [what, against, f"{ratio:.2f}", f"{limit:.2f}", "met" if ratio <= limit else "missed"]


def _png_writing() -> Iterator[list[str]]:
    """Hold the writer alone against Pillow's, on a photograph of the size that is asked for."""
    job = _job("png-4mp.png", "png")
    with Image.open(job.source) as picture:
        resized = picture.resize(job.size, Image.Resampling.LANCZOS)
    ours, plain = in_turn(lambda: encode(resized), lambda: resized.save(io.BytesIO(), "PNG"))
    yield _verdict("PNG written", PLAIN.name, ours / plain, 0.12)
    written = io.BytesIO()
    resized.save(written, "PNG")
    yield _verdict("PNG written, bytes", PLAIN.name, len(encode(resized)) / len(written.getvalue()), 1.05)


def in_turn(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Return the median CPU milliseconds of each, run A B A B."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(PASSES * ROUNDS + 1):
        for work, measured in zip((first, second), times, strict=True):
            started = time.process_time()
            work()
            measured.append((time.process_time() - started) * 1000)
    return median(times[0][1:]), median(times[1][1:])
