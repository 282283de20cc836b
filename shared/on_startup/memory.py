"""Gives memory back to the system that pictures took, and that is kept in case of more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Event, Thread

from fastapi import FastAPI

from shared import heap

INTERVAL_SECONDS = 10.0
"""Taking it anew is up to a quarter of a picture's work, so it is not given back at once."""


@asynccontextmanager
async def open_memory(app: FastAPI) -> AsyncIterator[None]:
    """Trim the heap at intervals, from a thread: on Lambda the loop stands still between two events."""
    is_over = Event()
    Thread(target=_trim_until, args=(is_over,), name="memory", daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


def _trim_until(is_over: Event) -> None:
    while not is_over.wait(INTERVAL_SECONDS):
        heap.trim()
