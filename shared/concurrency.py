"""Threads for work that would hold up the event loop, with a bounded queue before them."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Generic, TypeVar

from shared.errors import TooBusy

Result = TypeVar("Result")

SMOOTHING = 0.2
"""Weight of the newest duration in the moving average that `Retry-After` is computed from."""


class BoundedThreads(Generic[Result]):
    """Runs at most `threads` calls at once and lets at most `queue` more wait; refuses the rest.

    More threads than cores would only lengthen every call: the work is bound to the processor.
    """

    def __init__(self, threads: int | None = None, queue: int = 64) -> None:
        self.threads = threads or os.cpu_count() or 1
        self.capacity = self.threads + queue
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="bounded")
        self._lock = Lock()
        self._admitted = 0
        self._average_seconds = 0.0

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run `work` on a thread. Raises TooBusy, before any work, when the queue is full."""
        if self._admitted >= self.capacity:
            raise TooBusy(
                "As many requests as may wait are waiting.",
                limit=self.capacity,
                actual=self._admitted + 1,
                retry_after=self.retry_after(),
            )
        submitted = self._pool.submit(self._timed, work)
        with self._lock:
            self._admitted += 1
        # The place is free when the thread is, not when a caller who went away stops waiting.
        submitted.add_done_callback(self._leave)
        return await asyncio.wrap_future(submitted)

    def retry_after(self) -> int:
        """Whole seconds until the queue of this moment will have been worked off."""
        return max(1, math.ceil(self._admitted * self._average_seconds / self.threads))

    def close(self) -> None:
        """Wait for the calls under way and end the threads; calls still queued are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _leave(self, _: Future[Result]) -> None:
        with self._lock:
            self._admitted -= 1

    def _timed(self, work: Callable[[], Result]) -> Result:
        started = time.perf_counter()
        try:
            return work()
        finally:
            seconds = time.perf_counter() - started
            average = self._average_seconds or seconds
            self._average_seconds = average + SMOOTHING * (seconds - average)
