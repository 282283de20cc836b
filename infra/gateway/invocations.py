"""The events that wait for an environment, a queue a function."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from infra.gateway.errors import EnvironmentLost, FunctionTimedOut
from infra.gateway.functions import Function
from infra.gateway.limits import GatewayLimits
from shared.errors import Problem, TooBusy

SMOOTHING = 0.2
"""Weight of the newest duration in the moving average that `Retry-After` is computed from."""


@dataclass(eq=False)
class Invocation:
    """One event on its way, and the answer that someone waits for."""

    request_id: str
    event: list[bytes]
    """The JSON text in parts, never joined: one of them is a picture."""
    answer: asyncio.Future[bytes] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def is_over(self) -> bool:
        """Whether it was answered, or nobody waits any more."""
        return self.answer.done()

    def succeed(self, payload: bytes) -> None:
        if not self.is_over:
            self.answer.set_result(payload)

    def fail(self, problem: Problem) -> None:
        if not self.is_over:
            self.answer.set_exception(problem)


class FunctionQueue:
    """Holds a function's events until an environment takes them; bounded."""

    def __init__(self, function: Function, limits: GatewayLimits) -> None:
        self.function = function
        self.limits = limits
        self.environments = 0
        """How many there are, idle and busy."""
        self.idle = 0
        self.first_ready: asyncio.Future[None] = asyncio.Future()
        """Done when the first environment asks for an event, or fails when that one cannot be started."""
        self.on_wait: Callable[[int], None] = lambda waiting: None
        """Called with the number of events for which there is no idle environment, when there are any."""
        self._waiting: asyncio.Queue[Invocation] = asyncio.Queue(limits.waiting)
        self._average_seconds = 0.0
        self._broken: str | None = None

    async def invoke(self, invocation: Invocation) -> bytes:
        """Return the answer. Raises TooBusy, FunctionTimedOut, EnvironmentLost or FunctionFailed."""
        if self._broken is not None:
            raise EnvironmentLost(self._broken)
        if self._waiting.full():
            self._forget_callers_who_left()
        try:
            self._waiting.put_nowait(invocation)
        except asyncio.QueueFull:
            raise self._too_busy() from None
        if (waiting := self._waiting.qsize() - self.idle) > 0:
            self.on_wait(waiting)
        try:
            return await asyncio.wait_for(invocation.answer, self.limits.integration_seconds)
        except TimeoutError:
            seconds = math.floor(self.limits.integration_seconds)
            raise FunctionTimedOut(f"No answer within {seconds} s.", limit=seconds) from None

    async def take(self) -> Invocation:
        """Return the next event that someone still waits for."""
        self.idle += 1
        self._broken = None
        if not self.first_ready.done():
            self.first_ready.set_result(None)
        try:
            while True:
                invocation = await self._waiting.get()
                if not invocation.is_over:
                    return invocation
        finally:
            self.idle -= 1

    def give_back(self, invocation: Invocation) -> None:
        """Put an event that no environment has seen into the queue again."""
        try:
            self._waiting.put_nowait(invocation)
        except asyncio.QueueFull:
            invocation.fail(self._too_busy())

    def took(self, seconds: float) -> None:
        """Note how long an event took."""
        average = self._average_seconds or seconds
        self._average_seconds = average + SMOOTHING * (seconds - average)

    def fail(self, detail: str) -> None:
        """Fail what waits and what comes, until an environment asks for an event: none can be started."""
        self._broken = detail
        if not self.first_ready.done():
            self.first_ready.set_exception(EnvironmentLost(detail))
        while not self._waiting.empty():
            self._waiting.get_nowait().fail(EnvironmentLost(detail))

    def _forget_callers_who_left(self) -> None:
        waiting = [self._waiting.get_nowait() for _ in range(self._waiting.qsize())]
        for invocation in waiting:
            if not invocation.is_over:
                self._waiting.put_nowait(invocation)

    def _too_busy(self) -> TooBusy:
        waiting = self._waiting.qsize()
        seconds = waiting * self._average_seconds / max(1, self.environments)
        return TooBusy(
            f"As many requests as may wait for {self.function.name} are waiting.",
            limit=self.limits.waiting,
            actual=waiting + 1,
            # Nobody waits longer than that: by then the queue is another one.
            retry_after=max(1, math.ceil(min(seconds, self.limits.integration_seconds))),
        )
