"""What `make run` prints: each step while it is done, then its outcome and how long it took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(Exception):
    """Raised at an edge of a step, once a signal has come."""


class Stop:
    """Whether a signal has come. Raised where one comes, an exception can end Python amid an import in C."""

    def __init__(self) -> None:
        self.is_asked = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        self.is_asked = True

    def check(self) -> None:
        if self.is_asked:
            raise Stopped


STOP = Stop()


class Outcome:
    text = ""


@contextmanager
def step(name: str) -> Iterator[Outcome]:
    """Print the step's name at once, and the rest of its line at the end."""
    print(f"  {name:<14}", end="", flush=True)
    started = time.monotonic()
    outcome = Outcome()
    try:
        STOP.check()
        yield outcome
        STOP.check()
    except BaseException as error:
        is_stopped = isinstance(error, Stopped | asyncio.CancelledError)
        print("stopped" if is_stopped or STOP.is_asked else "failed", flush=True)
        if isinstance(error, Exception):
            # Ctrl-C is for the whole terminal: what a step runs may fail by it.
            STOP.check()
        raise
    print(f"{outcome.text:<58}{time.monotonic() - started:>6.1f} s", flush=True)
