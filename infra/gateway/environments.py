"""The execution environments that ask the Runtime API for events: what each is doing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from infra.gateway.errors import EnvironmentLost, FunctionTimedOut
from infra.gateway.invocations import FunctionQueue, Invocation
from shared.errors import Problem

logger = logging.getLogger("passepartout.gateway")

Address = tuple[str, int]


@dataclass(eq=False)
class Extension:
    """An extension of an environment: idle while it asks for an event."""

    name: str
    connection: Address | None = None
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    events: asyncio.Queue[Invocation] = field(default_factory=asyncio.Queue)


class Environment:
    """One environment of a function, from its first word to its end.

    - It has at most one event at a time, and is given the next when its extensions have asked for one too.
    - It is lost when its connection closes, or it asks for an event, while one of its own is unanswered.
    - When an event takes longer than the function may, `kill` is called: it is of no more use.
    """

    def __init__(
        self,
        queue: FunctionQueue,
        kill: Callable[[], None] = lambda: None,
        started_at: float | None = None,
    ) -> None:
        self.queue = queue
        self.function = queue.function
        self.extensions: dict[str, Extension] = {}
        self.connection: Address | None = None
        """Of the runtime, as it asked for its event."""
        self._kill = kill
        self._started_at = started_at
        self._init_seconds: float | None = None
        self.is_ready = False
        """Whether it has asked for an event."""
        self._invocation: Invocation | None = None
        self._taken_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._taking: asyncio.Future[Invocation] | None = None
        self._is_retired = False
        self._is_free = asyncio.Event()
        self._is_free.set()
        queue.environments += 1

    def register(self, name: str) -> str:
        """Return the identifier of a new extension; one of this name, of a dead process, is forgotten."""
        self.extensions = {key: each for key, each in self.extensions.items() if each.name != name}
        identifier = str(uuid4())
        self.extensions[identifier] = Extension(name)
        return identifier

    def forget_extension(self, connection: Address) -> None:
        """Forget the extension whose connection was closed: it will ask for no event any more."""
        for identifier, extension in list(self.extensions.items()):
            if extension.connection == connection:
                del self.extensions[identifier]
                extension.idle.set()

    async def next(self, connection: Address) -> Invocation:
        """Return the environment's next event; wait for its extensions, then for an event."""
        self.lose("it asked for the next event without an answer to this one")
        self.connection = connection
        for extension in list(self.extensions.values()):
            await extension.idle.wait()
        if not self.is_ready:
            self.is_ready = True
            if self._started_at is not None:
                self._init_seconds = time.perf_counter() - self._started_at
        self._taking = asyncio.ensure_future(self.queue.take())
        if self._is_retired:
            self._taking.cancel()
        try:
            invocation = await self._taking
        except asyncio.CancelledError:
            if self._taking.done() and not self._taking.cancelled():
                self.queue.give_back(self._taking.result())
            self._taking.cancel()
            raise
        self._begin(invocation)
        return invocation

    async def retire(self) -> None:
        """Take no more events, and wait until the last one is answered: the environment is about to end."""
        self.take_no_more()
        await self._is_free.wait()

    def take_no_more(self) -> None:
        self._is_retired = True
        if self._taking is not None:
            self._taking.cancel()

    def is_answering(self, request_id: str) -> bool:
        return self._invocation is not None and self._invocation.request_id == request_id

    def answer(self, payload: bytes | Problem) -> None:
        """End the event with its answer, or with what became of it."""
        invocation, self._invocation = self._invocation, None
        if invocation is None:
            return
        self._is_free.set()
        assert self._timer is not None
        self._timer.cancel()
        if isinstance(payload, Problem):
            invocation.fail(payload)
        else:
            invocation.succeed(payload)
        self._report(invocation.request_id, payload.code if isinstance(payload, Problem) else "success")

    def give_back(self) -> None:
        """Undo `next`, whose event could not be handed over."""
        invocation, self._invocation = self._invocation, None
        if invocation is not None and self._timer is not None:
            self._is_free.set()
            self._timer.cancel()
            self.queue.give_back(invocation)

    def lose(self, how: str) -> None:
        """Fail the event that it has, if it has one."""
        self.answer(EnvironmentLost(f"{self.function.name}: {how}."))

    def end(self, how: str) -> None:
        """Forget the environment, which is no more."""
        self.lose(how)
        self.queue.environments -= 1

    def _begin(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._is_free.clear()
        self._taken_at = time.perf_counter()
        self._timer = asyncio.get_running_loop().call_later(self.function.timeout, self._time_out)
        for extension in self.extensions.values():
            extension.idle.clear()
            extension.events.put_nowait(invocation)

    def _time_out(self) -> None:
        seconds = self.function.timeout
        self.answer(FunctionTimedOut(f"{self.function.name} may take {seconds} s.", limit=int(seconds)))
        self._kill()

    def _report(self, request_id: str, status: str) -> None:
        """Write the line that Lambda writes of each event; its first names the init as well."""
        seconds = time.perf_counter() - self._taken_at
        self.queue.took(seconds)
        # Named once, for the first event.
        init_seconds, self._init_seconds = self._init_seconds, None
        init = "" if init_seconds is None else f" Init Duration: {init_seconds * 1000:.2f} ms"
        logger.info(
            "REPORT RequestId: %s Function: %s Duration: %.2f ms Memory Size: %d MB Status: %s%s",
            *(request_id, self.function.name, seconds * 1000, self.function.memory_megabytes, status, init),
            extra={
                "request_id": request_id,
                "function": self.function.name,
                "duration_ms": round(seconds * 1000, 2),
                "status": status,
            },
        )
