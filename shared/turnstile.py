"""Lets one through in a turn of the event loop, so that no turn is long."""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush
from itertools import count


class Turnstile:
    """The one with the lowest number goes first: who came first is done first, whoever comes meanwhile."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        """By number, and of one number in the order in which they came."""
        self._order = count()
        self._turning: asyncio.AbstractEventLoop | None = None
        """The loop that is to call `_turn`; a mere flag would outlive a loop that ends."""

    async def passing(self, number: int) -> None:
        """Return in a turn of the event loop in which nobody else does."""
        loop = asyncio.get_running_loop()
        if self._turning is not loop:
            # Who waited in another loop went with it.
            self._waiting.clear()
            self._turning = loop
            loop.call_soon(self._turn, loop)
            return
        passed: asyncio.Future[None] = loop.create_future()
        heappush(self._waiting, (number, next(self._order), passed))
        await passed

    def _turn(self, loop: asyncio.AbstractEventLoop, is_passed: bool = False) -> None:
        """Let the next one through; `is_passed` where another one passes in this very turn."""
        while self._waiting:
            *_, passed = heappop(self._waiting)
            # Done already is one whose caller went away.
            if not passed.done():
                passed.set_result(None)
                loop.call_soon(self._turn, loop, True)
                return
        if is_passed:
            loop.call_soon(self._turn, loop)
        else:
            self._turning = None
