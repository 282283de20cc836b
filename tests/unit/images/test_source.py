from __future__ import annotations

import subprocess
import sys

from shared.images.formats import READERS
from tests.conftest import PHOTOGRAPH

RESIZE = """
import sys
from pathlib import Path
from shared.images.limits import Limits
from shared.images.options import ProcessingOptions
from shared.images.pipeline import resize
source = Path(sys.argv[1]).read_bytes()
for output in ("jpeg", "webp", "avif", "gif", "png"):
    made = resize(source, ProcessingOptions(width=8, format=output), Limits(10**7, 10**7)).content
    resize(made, ProcessingOptions(width=4), Limits(10**7, 10**7))
print(*sorted(name for name in sys.modules if name.startswith("PIL.") and name.endswith("ImagePlugin")))
"""


REGISTERED = "import shared.images.source; from PIL import Image; print(*Image.OPEN)"


def test_every_reader_is_registered_before_the_first_picture() -> None:
    ran = subprocess.run([sys.executable, "-c", REGISTERED], capture_output=True, text=True, check=True)
    assert set(READERS) <= set(ran.stdout.split())


def test_no_other_reader_of_pillow_is_ever_loaded() -> None:
    command = [sys.executable, "-c", RESIZE, str(PHOTOGRAPH)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {name.removeprefix("PIL.").removesuffix("ImagePlugin") for name in ran.stdout.split()}
    # The last two are loaded with those of BMP and JPEG.
    assert loaded <= {"Avif", "Bmp", "Gif", "Jpeg", "Png", "Tiff", "WebP", "Ppm", "Mpo"}
