"""Damaged pictures through the engine for as long as asked: `make fuzz SECONDS=3600`.

A worker a core; one that dies, hangs or finds a fault is replaced. What it was at is kept in `.local/fuzz`,
and so is what took longest.
"""

from __future__ import annotations

import hashlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Annotated, cast

import typer

from infra.fuzz.worker import FAULT, SLOWEST, SOURCE

KEPT = Path(".local/fuzz")
HANG_SECONDS = 60.0
"""For a hundred cases; one takes some milliseconds."""


@dataclass
class Worker:
    """A process, and the folder that it is at work in."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp()))
    cases: int = 0
    peak_bytes: int = 0
    slowest: float = 0.0
    """In seconds."""

    def __post_init__(self) -> None:
        command = [sys.executable, "-m", "infra.fuzz.worker", os.urandom(8).hex(), str(self.folder)]
        errors = (self.folder / "stderr").open("wb")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        errors.close()
        self._output = cast(IO[str], self.process.stdout)
        self.heard = time.monotonic()

    def fileno(self) -> int:
        return self._output.fileno()

    def hear(self) -> None:
        if line := self._output.readline():
            cases, peak, slowest = line.split()
            self.heard, self.cases = time.monotonic(), int(cases)
            self.peak_bytes, self.slowest = int(peak), float(slowest)

    @property
    def is_lost(self) -> bool:
        return self.process.poll() is not None or time.monotonic() - self.heard > HANG_SECONDS

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@dataclass
class Report:
    """Of all workers that have ended."""

    cases: int = 0
    peak_bytes: int = 0
    slowest: float = 0.0

    def take(self, worker: Worker) -> None:
        """Add what a worker did; its folder goes, but for the case that took longest."""
        self.cases += worker.cases
        self.peak_bytes = max(self.peak_bytes, worker.peak_bytes)
        if worker.slowest > self.slowest:
            self.slowest = worker.slowest
            shutil.copytree(worker.folder / SLOWEST, KEPT / SLOWEST, dirs_exist_ok=True)
        shutil.rmtree(worker.folder)

    def __str__(self) -> str:
        megabytes = self.peak_bytes / 1e6
        return (
            f"{self.cases} cases, at most {megabytes:.0f} MB of memory; "
            f"the slowest took {self.slowest:.2f} s, and is in {KEPT / SLOWEST}"
        )


def main(
    seconds: Annotated[int, typer.Option(help="How long.")] = 60,
    workers: Annotated[int, typer.Option(help="How many at once.")] = os.cpu_count() or 1,
) -> None:
    """Return 1 where anything was found."""
    until = time.monotonic() + seconds
    running, report, found = [Worker() for _ in range(workers)], Report(), 0
    while time.monotonic() < until:
        for worker in select.select(running, [], [], 1.0)[0]:
            worker.hear()
        for worker in [each for each in running if each.is_lost]:
            print(f"found: {_keep(worker)}", flush=True)
            found += 1
            worker.end()
            report.take(worker)
            running[running.index(worker)] = Worker()
    for worker in running:
        worker.end()
        report.take(worker)
    print(f"{report}; {found} found in {seconds} s")
    raise typer.Exit(1 if found else 0)


def _keep(worker: Worker) -> Path:
    """Keep what it was at, and how it ended."""
    status = worker.process.poll()
    how = "hung" if status is None else f"ended with {status}"
    if (worker.folder / FAULT).exists():
        how = (worker.folder / FAULT).read_text()
    name = hashlib.sha256((worker.folder / SOURCE).read_bytes()).hexdigest()[:12]
    place = KEPT / name
    shutil.copytree(worker.folder, place, dirs_exist_ok=True)
    (place / "how.txt").write_text(how + "\n")
    return place


if __name__ == "__main__":
    typer.run(main)
