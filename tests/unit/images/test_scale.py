"""What a resize keeps, in a process of its own, as heaps have a past."""

from __future__ import annotations

import subprocess
import sys

KEPT = """
from ctypes import CDLL
from pathlib import Path
from PIL import Image
from shared.images.geometry import Box
from shared.images.scale import scale

def kept(width, height):
    picture = Image.new("RGB", (width, height))
    assert scale(picture, Box(0, 0, width, height), (width - 8, height - 6)).size == (width - 8, height - 6)
    del picture
    CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

before = kept(400, 300)
print(kept(4000, 3000) - before)
"""


def test_buffers_of_a_large_picture_are_not_kept() -> None:
    ran = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, text=True, timeout=60)
    assert int(ran.stdout) < 1_000_000, ran.stderr
