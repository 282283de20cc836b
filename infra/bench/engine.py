"""One engine's program, run in a process of its own on one core."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from infra.bench import peers

PROGRAMS = Path(__file__).parent / "engines"


@dataclass(slots=True)
class Measured:
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    """Milliseconds a picture."""
    peak: int = 0
    """Bytes of the whole process, its libraries and the source included."""
    bytes: int = 0

    @property
    def cpu_median(self) -> float:
        return median(self.cpu)

    def add(self, run: Mapping[str, list[float]], peak: int, size: int) -> None:
        self.cpu += run["cpu"]
        self.wall += run["wall"]
        self.peak, self.bytes = max(self.peak, peak), size


@dataclass(frozen=True, slots=True)
class Job:
    source: Path
    format: str
    size: tuple[int, int]
    output: Path


@dataclass(frozen=True, slots=True)
class Engine:
    name: str
    command: Sequence[str | Path]
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, job: Job, rounds: int, measured: Measured) -> None:
        width, height = job.size
        arguments: list[str | Path] = [
            job.source,
            job.format,
            str(width),
            str(height),
            job.output,
            str(rounds),
        ]
        environment = os.environ | {"PYTHONPATH": ".", "VIPS_CONCURRENCY": "1"} | self.environment
        pin = partial(os.sched_setaffinity, 0, {max(os.sched_getaffinity(0))})
        command: list[str | Path] = list(self.command)
        ran = subprocess.run(
            command + arguments, env=environment, preexec_fn=pin, stdout=subprocess.PIPE, check=True
        )
        answer = json.loads(ran.stdout)
        measured.add(answer, answer["peak"], answer["bytes"])


OURS = Engine("Passepartout", [sys.executable, PROGRAMS / "ours.py"])
PLAIN = Engine("plain Pillow", [sys.executable, PROGRAMS / "plain_pillow.py"])


def engines() -> tuple[list[Engine], list[str]]:
    """Return ours and all peers that can be had here, and why the others cannot."""
    found, notes = [OURS, PLAIN], []
    try:
        python = peers.python()
        found.append(Engine("thumbor", [python, PROGRAMS / "thumbor_engine.py"]))
        found.append(Engine("pyvips", [python, PROGRAMS / "vips.py"]))
    except peers.Missing as reason:
        notes.append(f"Without thumbor, pyvips and fidelities: {reason}.")
    try:
        environment = {"SHARP": str(peers.sharp())}
        node: list[str | Path] = ["node", PROGRAMS / "sharp.mjs"]
        found.append(Engine("sharp", node, environment | {"FAST": "true"}))
        found.append(Engine(SHARP_EQUAL, node, environment | {"FAST": "false"}))
    except peers.Missing as reason:
        notes.append(f"Without {reason}.")
    return found, notes


SHARP_EQUAL = "sharp, fastShrinkOnLoad: false"
"""Which gives it about the fidelity that we have."""
