"""What `make run` prints: each step while it is done, then its outcome and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Outcome:
    text = ""


@contextmanager
def step(name: str) -> Iterator[Outcome]:
    """Print the step's name at once, and the rest of its line at the end."""
    print(f"  {name:<14}", end="", flush=True)
    started = time.monotonic()
    outcome = Outcome()
    try:
        yield outcome
    except BaseException as error:
        print("failed" if isinstance(error, Exception) else "stopped", flush=True)
        raise
    print(f"{outcome.text:<58}{time.monotonic() - started:>6.1f} s", flush=True)
