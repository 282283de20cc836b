"""What glibc does with memory that was freed (mallopt(3)); other C libraries are left as they are."""

from __future__ import annotations

from ctypes import CDLL

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
"""M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX in malloc.h."""
KEPT_BYTES = 256 * 1024 * 1024
"""What may be free at the heap's end until the next trim: a page taken anew costs 2 µs, and a WebP of 4
megapixels took 15,000 of them."""
LARGEST_OF_THE_HEAP = 32 * 1024 * 1024
"""The most that glibc takes for this threshold: a larger block is mapped, and given back at once."""

_libc = CDLL(None)


def keep_for_the_next_picture() -> None:
    """Have what one picture is done with serve the next, until `trim`.

    All threads that start from here on share one heap: of any other, the free end is not given back.
    """
    if hasattr(_libc, "malloc_trim"):
        _libc.mallopt(ARENA_MAX, 1)
        _libc.mallopt(MMAP_THRESHOLD, LARGEST_OF_THE_HEAP)
        _libc.mallopt(TRIM_THRESHOLD, KEPT_BYTES)


def trim() -> None:
    """Give back to the system what is free."""
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)
