"""Gives memory back to the system that pictures took, and that glibc keeps in case of more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ctypes import CDLL
from threading import Event, Thread

from fastapi import FastAPI

INTERVAL_SECONDS = 10.0
"""Taking it again costs a picture some 10 ms: to give all back at once would be a tenth of the work."""


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
    # There is no such thing in other C libraries, which keep less.
    trim = getattr(CDLL(None), "malloc_trim", None)
    while trim is not None and not is_over.wait(INTERVAL_SECONDS):
        trim(0)
