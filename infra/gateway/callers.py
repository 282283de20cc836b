"""Which environment it is that calls the Runtime API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Scope

from infra.gateway.environments import Address, Environment
from infra.gateway.invocations import FunctionQueue

FRONT_DOOR = "front-door"
"""What containers call it, after the name of their function."""

Key = tuple[int, str]
"""The port called and the address that the call came from."""


@dataclass(frozen=True)
class Door:
    """What stands behind a port of the Runtime API: one environment on this machine."""

    queue: FunctionQueue
    kill: Callable[[], None]
    """Ends the environment."""
    started_at: float
    """By `time.perf_counter`."""


@dataclass(frozen=True)
class Shared:
    """A function whose containers call by its name."""

    queue: FunctionQueue
    addresses: frozenset[str]
    """What that name stands for: our own, in the networks where those containers are."""


class Callers:
    """The environments that have called.

    One here on the machine is told by the port that it calls, which is its own. Containers share one port:
    what they call it by names their function, `login.front-door`, and has to be the name of the address that
    they reach it at, so that one in a network of its own can be no other function.
    """

    def __init__(self) -> None:
        self._doors: dict[int, Door] = {}
        self._shared: dict[str, Shared] = {}
        self._environments: dict[Key, Environment] = {}

    def share(self, shared: Mapping[str, Shared]) -> None:
        """Take what calls by a function's name, on a port that is no door's, for its environment."""
        self._shared = dict(shared)

    def without_environment(self) -> list[str]:
        """Return which of the functions in containers have none that has asked for an event."""
        ready = {each.function.name for each in self._environments.values() if each.is_ready}
        return sorted(self._shared.keys() - ready)

    def open_door(self, port: int, door: Door) -> None:
        """Take what calls on this port for environments of one function."""
        self._doors[port] = door

    def close_door(self, port: int, how: str) -> bool:
        """Forget the environments that called on this port; `how` they ended is told to who waits.

        Returns whether one of them was ever ready for an event.
        """
        del self._doors[port]
        ended = [self._environments.pop(key) for key in list(self._environments) if key[0] == port]
        for environment in ended:
            environment.end(how)
        return any(environment.is_ready for environment in ended)

    def is_ready(self, port: int) -> bool:
        """Return whether an environment has asked for an event on this port."""
        return any(each.is_ready for key, each in self._environments.items() if key[0] == port)

    async def retire(self, port: int) -> None:
        """Hand no more events to the environments that call on this port; wait for their answers."""
        environments = [self._environments[key] for key in self._environments if key[0] == port]
        await asyncio.gather(*(environment.retire() for environment in environments))

    def lost(self, server: Address | None, client: Address | None) -> None:
        """Note that a connection was closed."""
        if server is None or client is None:
            return
        key = server[1], client[0]
        environment = self._environments.get(key)
        if environment is None:
            return
        environment.forget_extension(client)
        if environment.connection != client:
            return
        environment.lose("its connection was closed")
        if key[0] not in self._doors:
            # A container that is started again comes from another address, and would be counted twice.
            self._environments.pop(key).end("its connection was closed")

    def find(self, scope: Scope) -> Environment | None:
        """Return the environment that calls, which may be its first word; None where it is of no function."""
        if _is_from_a_page(scope):
            return None
        key = scope["server"][1], scope["client"][0]
        if (door := self._doors.get(key[0])) is not None:
            if key not in self._environments:
                self._environments[key] = Environment(door.queue, door.kill, door.started_at)
            return self._environments[key]
        shared = self._shared.get(_first_label(scope))
        if shared is None or scope["server"][0] not in shared.addresses:
            return None
        if key not in self._environments:
            self._environments[key] = Environment(shared.queue)
        return self._environments[key] if self._environments[key].queue is shared.queue else None


def _is_from_a_page(scope: Scope) -> bool:
    """Whether a browser sends this: no environment is one, and a page must neither read nor answer events."""
    headers = Headers(scope=scope)
    host = headers.get("host", "").rpartition(":")[0]
    is_named = host == scope["server"][0] or host.endswith(f".{FRONT_DOOR}")
    return "origin" in headers or "sec-fetch-site" in headers or not is_named


def _first_label(scope: Scope) -> str:
    return Headers(scope=scope).get("host", "").partition(":")[0].partition(".")[0]
