"""What becomes of files in a process of its own, which may end by them, and the memory that it took.

`python -m tests.unit.images.child FOLDER FORMAT`: the files of the folder, to 32x32 of the format.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from infra.bench.engines.loop import peak_bytes
from shared.errors import Problem
from shared.images.limits import Limits
from shared.images.options import RequestedFormat
from shared.images.pipeline import resize
from tests.pictures import decoded, options

LIMITS = Limits(source_bytes=20_000_000, source_pixels=50_000_000)
SECONDS = 60


def outcomes(files: Mapping[str, bytes], output: str = "jpeg") -> tuple[dict[str, str], int]:
    """Return by each file's name the code of its refusal, or its size; and the peak of memory, in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        command = [sys.executable, "-m", "tests.unit.images.child", folder, output]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS)
    answer = json.loads(ran.stdout)
    return answer["outcomes"], answer["peak"]


def _outcome(source: bytes, output: str) -> str:
    try:
        picture = resize(source, options(32, 32, cast(RequestedFormat, output)), LIMITS)
    except Problem as problem:
        return problem.code
    assert decoded(picture.content).size == picture.size
    return "x".join(map(str, picture.size))


if __name__ == "__main__":
    found = {path.name: _outcome(path.read_bytes(), sys.argv[2]) for path in Path(sys.argv[1]).iterdir()}
    print(json.dumps({"outcomes": found, "peak": peak_bytes()}))
