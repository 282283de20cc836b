"""How many go through in a turn of the event loop, and who is next."""

from __future__ import annotations

import asyncio

from shared.turnstile import Turnstile

TURN = 0


async def _log_turns(log: list[int]) -> None:
    while True:
        log.append(TURN)
        await asyncio.sleep(0)


async def _pass(turnstile: Turnstile, number: int, log: list[int]) -> None:
    await turnstile.passing(number)
    log.append(number)


async def test_one_goes_through_in_a_turn_the_lowest_number_first() -> None:
    turnstile, log = Turnstile(), list[int]()
    turns = asyncio.create_task(_log_turns(log))
    await asyncio.gather(*(_pass(turnstile, number, log) for number in (9, 4, 2, 3)))
    turns.cancel()
    # The first finds it free; the others have come when it turns.
    assert [each for each in log if each != TURN] == [9, 2, 3, 4]
    assert all(TURN in pair for pair in zip(log, log[1:], strict=False))


async def test_who_goes_away_holds_up_nobody() -> None:
    turnstile, log = Turnstile(), list[int]()
    waiting = [asyncio.create_task(_pass(turnstile, number, log)) for number in (1, 2, 3, 4)]
    await asyncio.sleep(0)
    waiting[2].cancel()
    await asyncio.wait(waiting)
    assert log == [1, 2, 4]


def test_it_turns_in_another_loop_when_one_was_closed_amid_a_turn() -> None:
    turnstile = Turnstile()
    for _ in range(2):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(turnstile.passing(0))
        loop.close()

    async def twice() -> list[int]:
        log = list[int]()
        await asyncio.gather(*(_pass(turnstile, number, log) for number in (1, 2)))
        return log

    assert asyncio.run(twice()) == [1, 2]
