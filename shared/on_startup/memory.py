"""Gives memory back to the system that pictures took, and that is kept in case of more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Event, Thread

from fastapi import FastAPI

INTERVAL_SECONDS = 10.0
"""Taking it again costs a picture some 10 ms: to give all back at once would be a tenth of the work."""


@asynccontextmanager
async def open_memory(app: FastAPI) -> AsyncIterator[None]:
    """Trim the heap at intervals, from a thread: on Lambda the loop stands still between two events."""
    # Loaded here, as nothing else needs it to start.
    from shared.heap import keep_for_the_next_picture

    is_over = Event()
    if trim := keep_for_the_next_picture():
        Thread(target=_trim_until, args=(is_over, trim), name="memory", daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


def _trim_until(is_over: Event, trim: Callable[[int], object]) -> None:
    while not is_over.wait(INTERVAL_SECONDS):
        trim(0)
