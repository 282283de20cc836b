"""Lets one through in a turn of the event loop, so that no turn is long."""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush


class Turnstile:
    """The one with the lowest number goes first: who came first is done first, whoever comes meanwhile."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._turning: asyncio.AbstractEventLoop | None = None
        """The loop in whose turn someone has passed; a mere flag would outlive a loop that ends."""

    async def passing(self, number: int) -> None:
        """Return in a turn of the event loop in which nobody else does."""
        loop = asyncio.get_running_loop()
        if self._turning is not loop:
            self._next_turn_of(loop)
            return
        passed: asyncio.Future[None] = loop.create_future()
        heappush(self._waiting, (number, passed))
        await passed

    def _next_turn_of(self, loop: asyncio.AbstractEventLoop) -> None:
        self._turning = loop
        loop.call_soon(self._turn, loop)

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            _, passed = heappop(self._waiting)
            # Done already is one whose caller went away.
            if not passed.done():
                passed.set_result(None)
                self._next_turn_of(loop)
                return
        self._turning = None
