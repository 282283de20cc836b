"""What the functions print, and when it is shown."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Output:
    """Passes on lines, except while it is muted."""

    def __init__(self) -> None:
        self._is_muted = False

    def write(self, text: bytes) -> None:
        if not self._is_muted:
            sys.stdout.buffer.write(text)
            sys.stdout.buffer.flush()

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Drop what comes until the end of the block, this process's own log as well."""
        handlers = list(logging.getLogger().handlers)
        self._is_muted = True
        for handler in handlers:
            handler.addFilter(_drop)
        try:
            yield
        finally:
            self._is_muted = False
            for handler in handlers:
                handler.removeFilter(_drop)


def _drop(record: logging.LogRecord) -> bool:
    return False
