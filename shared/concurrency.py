"""Threads for work that would hold up the event loop, with a bounded queue before them."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

from shared.errors import TooBusy, TooSlow

Result = TypeVar("Result")

SMOOTHING = 0.2
"""Weight of the newest duration in the moving average that `Retry-After` is computed from."""

CLOSE_SECONDS = 1.0
"""No caller is left then. Lambda gives an environment 2 s for its whole end, the front door 5."""


class BoundedThreads(Generic[Result]):
    """Runs at most `threads` calls at once and lets at most `queue` more wait; refuses the rest.

    - More threads than cores would only lengthen every call: the work is bound to the processor.
    - A call that runs cannot be stopped. Its thread is a daemon: unlike those of ThreadPoolExecutor, it keeps
      no process from ending.
    """

    def __init__(self, threads: int | None = None, queue: int = 64) -> None:
        self.threads = threads or os.cpu_count() or 1
        self.capacity = self.threads + queue
        self._calls: SimpleQueue[tuple[Future[Result], Callable[[], Result]] | None] = SimpleQueue()
        self._started: list[Thread] = []
        self._lock = Lock()
        self._is_closed = False
        self._admitted = 0
        self._average_seconds = 0.0

    async def run(self, work: Callable[[], Result], seconds: float | None = None) -> Result:
        """Run `work` on a thread. Raises TooBusy, before any work, when the queue is full.

        Raises TooSlow when it is not done within `seconds`, those in the queue included; begun, it goes on.
        """
        if self._admitted >= self.capacity:
            raise TooBusy(
                "As many requests as may wait are waiting.",
                limit=self.capacity,
                actual=self._admitted + 1,
                retry_after=self.retry_after(),
            )
        submitted = self._submit(work)
        try:
            async with asyncio.timeout(seconds) as timeout:
                return await asyncio.wrap_future(submitted)
        except TimeoutError:
            if seconds is None or not timeout.expired():
                raise
            # One that was still waiting may find the threads free another time.
            retry_after = self.retry_after() if submitted.cancel() else None
            raise TooSlow(
                f"It was not done within {seconds:g} s.", limit=math.ceil(seconds), retry_after=retry_after
            ) from None
        finally:
            # As in `_work_once`: an error that is raised here has this frame.
            del submitted

    def retry_after(self) -> int:
        """Whole seconds until the queue of this moment will have been worked off."""
        return max(1, math.ceil(self._admitted * self._average_seconds / self.threads))

    def close(self) -> None:
        """Drop the calls still queued, and wait for those under way, but not for ever. No more are taken."""
        self._is_closed = True
        self._drop_waiting()
        until = time.perf_counter() + CLOSE_SECONDS
        for _ in self._started:
            self._calls.put(None)
        for thread in self._started:
            thread.join(max(0.0, until - time.perf_counter()))

    def _submit(self, work: Callable[[], Result]) -> Future[Result]:
        if self._is_closed:
            raise RuntimeError("no call is taken after the shutdown")
        submitted: Future[Result] = Future()
        with self._lock:
            self._admitted += 1
        # The place is free when the thread is, not when a caller who went away stops waiting.
        submitted.add_done_callback(self._leave)
        self._calls.put((submitted, work))
        if len(self._started) < self.threads:
            thread = Thread(target=self._work_until_closed, name="bounded", daemon=True)
            self._started.append(thread)
            thread.start()
        return submitted

    def _work_until_closed(self) -> None:
        while self._work_once():
            pass

    def _work_once(self) -> bool:
        """A function of its own, so that nothing holds a call and its result once it is done."""
        call = self._calls.get()
        if call is None:
            return False
        submitted, work = call
        if submitted.set_running_or_notify_cancel():
            try:
                result = self._timed(work)
            except BaseException as error:
                submitted.set_exception(error)
                # The error has this frame, so what has the error must not be in it: the two would keep each
                # other, and what the call was made of, until garbage is next looked for.
                del call, submitted, work
            else:
                submitted.set_result(result)
        return True

    def _drop_waiting(self) -> None:
        while True:
            try:
                call = self._calls.get_nowait()
            except Empty:
                return
            if call is not None:
                call[0].cancel()

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
