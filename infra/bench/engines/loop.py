"""What each engine's program does, by `SOURCE FORMAT WIDTH HEIGHT OUTPUT ROUNDS`: JSON to standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

Convert = Callable[[bytes, str, int, int], bytes]
QUALITY = {"jpeg": 80, "webp": 80, "avif": 65}
"""What all are told; a PNG has none."""


def run(convert: Convert) -> None:
    source, output_format, width, height, output, rounds = sys.argv[1:]
    content = Path(source).read_bytes()
    made = b""
    cpu, wall = [], []
    for _ in range(int(rounds) + 1):
        started, used = time.perf_counter(), time.process_time()
        made = convert(content, output_format, int(width), int(height))
        cpu.append((time.process_time() - used) * 1000)
        wall.append((time.perf_counter() - started) * 1000)
    Path(output).write_bytes(made)
    # The first of each is cold.
    print(json.dumps({"cpu": cpu[1:], "wall": wall[1:], "peak": peak_bytes(), "bytes": len(made)}))


def peak_bytes(process: int | str = "self") -> int:
    """Return the most memory that a program had: getrusage counts what its parent had before it too."""
    status = Path(f"/proc/{process}/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
