"""Whatever the picture, the log says nothing of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pictures import SIZE, encoded, exif, quadrants
from tests.unit.images.files import BLOCKS_AT, LONG, SHORT, Tag, grey, tiff

RESIZE = """
import sys
from pathlib import Path
from shared.errors import Problem
from shared.images.limits import Limits
from shared.images.options import ProcessingOptions
from shared.images.pipeline import resize
try:
    resize(Path(sys.argv[1]).read_bytes(), ProcessingOptions(width=8, height=8), Limits(10**8, 10**8))
except Problem as problem:
    print(problem.code)
"""
"""In a process of its own: what libraries in C print to, and which warnings are shown, is one for all."""

FAX, DEFLATE, YCBCR = 2, 8, 6
ROWS = 1000
BROKEN_STRIPS: dict[int, Tag] = {
    273: (LONG, [BLOCKS_AT] * ROWS),
    278: (SHORT, [1]),
    279: (LONG, [50] * ROWS),
}
ONE_BIT: dict[int, Tag] = {258: (SHORT, [1])}
BROKEN_ROWS = bytes.fromhex(
    "35ed44e9d0ea10e9f1d3ee801e763a1d3e3a1e78731d0e873543a1f1f1d3a1f1f743c3a1d46e877af74e8763e3e3ab43a1f0"
    "3543e3e3a74fcd0e87c7c743a1f0743a1d0e6f8e63cf8e8700a7ff0088ffb0f8508743f09d3a74e83543b1d0e8763ee874e8"
)
ONE_STRIP: dict[int, Tag] = {273: (LONG, [BLOCKS_AT]), 278: (LONG, [ROWS]), 279: (LONG, [len(BROKEN_ROWS)])}
TAGS_BEYOND_THE_END: dict[int, Tag] = {50_000 + tag: (LONG, [2**20] * 2) for tag in range(300)}
SOURCES = {
    "fax": tiff(grey(40, ROWS, FAX) | ONE_BIT | ONE_STRIP, BROKEN_ROWS),
    "YCbCr": tiff(
        grey(16, ROWS, DEFLATE) | BROKEN_STRIPS | {262: (SHORT, [YCBCR])}, b"\x78\x9c" + b"\xff" * 90
    ),
    "Deflate": tiff(grey(16, ROWS, DEFLATE) | BROKEN_STRIPS, b"\x78\x9c" + b"\xff" * 90),
    "EXIF": encoded(quadrants(), "PNG", exif=exif(1, "x")[:6] + tiff(TAGS_BEYOND_THE_END)[:5000]),
    "tags": tiff(grey(*SIZE) | {273: (LONG, [8])} | TAGS_BEYOND_THE_END, bytes(9000))[:-2500],
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_log_has_no_line_of_it(source: bytes, tmp_path: Path) -> None:
    file = tmp_path / "picture"
    file.write_bytes(source)
    done = subprocess.run([sys.executable, "-c", RESIZE, file], capture_output=True, text=True, check=True)
    assert done.stderr == ""
