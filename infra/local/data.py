"""The folder that keeps the data between runs."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from infra.local.errors import LocalError


@contextmanager
def exclusive(folder: Path) -> Iterator[Path]:
    """Make the folder and hold it: two runs on one database would stop it under each other.

    Raises LocalError while another run holds it.
    """
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w") as lock:
        _lock(lock, folder)
        yield folder


def refuse_if_held(folder: Path) -> None:
    """Raise LocalError while another run holds the folder; make nothing."""
    with suppress(FileNotFoundError), open(folder / "lock") as lock:
        _lock(lock, folder)


def _lock(lock: TextIO, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LocalError(f"another `make run` uses {folder}/: stop it first") from None
