"""The folder that keeps the data between runs."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.errors import LocalError


@contextmanager
def exclusive(folder: Path) -> Iterator[Path]:
    """Make the folder and hold it: two runs on one database would stop it under each other.

    Raises LocalError while another run holds it.
    """
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError(f"another `make run` uses {folder}/: stop it first") from None
        yield folder


def is_held(folder: Path) -> bool:
    """Return whether a run holds the folder; makes nothing."""
    try:
        with open(folder / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
