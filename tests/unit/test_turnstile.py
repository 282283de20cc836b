"""How many go through in a turn of the event loop, and who is next."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from shared.turnstile import Turnstile


class Log:
    """Who passed, and in which turn."""

    def __init__(self, turnstile: Turnstile) -> None:
        self.turnstile = turnstile
        self.numbers = list[int]()
        self.turns = list[int]()
        self._turn = 0

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Begun before all else, the task that counts is the first of each turn."""
        counting = asyncio.create_task(self._count())
        yield
        counting.cancel()

    async def passing(self, number: int) -> None:
        await self.turnstile.passing(number)
        self.numbers.append(number)
        self.turns.append(self._turn)

    async def _count(self) -> None:
        for self._turn in count():
            await asyncio.sleep(0)


async def test_one_goes_through_in_a_turn_the_lowest_number_first() -> None:
    log = Log(Turnstile())
    with log.counting():
        await asyncio.gather(*(log.passing(number) for number in (9, 4, 2, 3)))
    # The first finds it free; the others have come when it turns.
    assert log.numbers == [9, 2, 3, 4]
    assert len(set(log.turns)) == 4


async def test_who_comes_as_the_last_one_passes_waits_for_the_next_turn() -> None:
    log = Log(Turnstile())

    async def pass_behind(number: int) -> None:
        while number not in log.numbers:
            await asyncio.sleep(0)
        await log.passing(10)

    with log.counting():
        await asyncio.gather(log.passing(1), log.passing(2), pass_behind(2))
    assert log.numbers == [1, 2, 10]
    assert len(set(log.turns)) == 3


async def test_who_goes_away_holds_up_nobody_and_may_come_again() -> None:
    log = Log(Turnstile())
    waiting = [asyncio.create_task(log.passing(number)) for number in (1, 2, 3, 4)]
    await asyncio.sleep(0)
    waiting[2].cancel()
    await asyncio.gather(*waiting, log.passing(3), return_exceptions=True)
    assert log.numbers == [1, 2, 3, 4]


def test_it_turns_in_another_loop_when_one_was_closed_amid_a_turn() -> None:
    turnstile = Turnstile()

    async def leave_waiting() -> list[Coroutine[Any, Any, None]]:
        await turnstile.passing(1)
        waiting = [turnstile.passing(number) for number in (2, 3)]
        for each in waiting:
            # As a task does, which would be destroyed amid its work.
            each.send(None).add_done_callback(lambda _: None)
        return waiting

    loop = asyncio.new_event_loop()
    left = loop.run_until_complete(leave_waiting())
    loop.close()

    async def in_another() -> list[int]:
        log = Log(turnstile)
        async with asyncio.timeout(10):
            await asyncio.gather(*(log.passing(number) for number in (1, 4, 5)))
        return log.numbers

    assert asyncio.run(in_another()) == [1, 4, 5]
    for each in left:
        each.close()
