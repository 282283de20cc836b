"""Gives memory back to the system that pictures took, and that glibc keeps in case of more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Event, Thread

from fastapi import FastAPI

INTERVAL_SECONDS = 10.0
"""Taking it again costs a picture some 10 ms: to give all back at once would be a tenth of the work."""
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
"""M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX in glibc's malloc.h (mallopt(3))."""
KEPT_BYTES = 256 * 1024 * 1024
"""What may be free at the heap's end until the next trim: a page taken anew costs 2 µs, and a WebP of 4
megapixels took 15,000 of them."""
LARGEST_OF_THE_HEAP = 32 * 1024 * 1024
"""The most that glibc takes for this threshold: a larger block is mapped, and given back at once."""


@asynccontextmanager
async def open_memory(app: FastAPI) -> AsyncIterator[None]:
    """Trim the heap at intervals, from a thread: on Lambda the loop stands still between two events.

    All threads share one heap from here on: of any other, the free end is not given back. What one picture is
    done with serves the next until then.
    """
    # Loaded here, as nothing else needs it to start.
    from ctypes import CDLL

    libc, is_over = CDLL(None), Event()
    # There is no such thing in other C libraries, which keep less.
    if hasattr(libc, "malloc_trim"):
        libc.mallopt(ARENA_MAX, 1)
        libc.mallopt(MMAP_THRESHOLD, LARGEST_OF_THE_HEAP)
        libc.mallopt(TRIM_THRESHOLD, KEPT_BYTES)
        Thread(target=_trim_until, args=(is_over, libc.malloc_trim), name="memory", daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


def _trim_until(is_over: Event, trim: Callable[[int], object]) -> None:
    while not is_over.wait(INTERVAL_SECONDS):
        trim(0)
