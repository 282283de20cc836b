"""The bodies that an app reads and holds: a part a turn of the event loop, so many bytes in all."""

from __future__ import annotations

from itertools import count

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import TooBusy
from shared.requests import declared_bytes
from shared.turnstile import Turnstile

HELD_BYTES = 256 * 1024 * 1024
"""Some eighty photographs of a telephone. Behind a front door each is held there as base64 besides."""
SMALL_BYTES = 64 * 1024
"""What any body may have: no JSON is refused because of pictures, and none waits for them."""
RETRY_AFTER_SECONDS = 1


class BodiesMiddleware:
    """Reads large bodies in turn, and refuses a part that there is no room for, as TooBusy where it is read.

    - Servers read up to 256 KiB at once, the first of a body unasked. Of 200 callers who send, that would be
      each one's in one turn of the event loop, and whoever only asks for /health would wait for them all.
    - Who came first is read first, as far as his parts are there: his body is whole before those of later
      callers fill the memory.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._held = 0
        self._turnstile = Turnstile()
        self._numbers = count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mine, number = 0, next(self._numbers)

        async def receive_if_room() -> Message:
            nonlocal mine
            if mine > SMALL_BYTES:
                await self._turnstile.passing(number)
            message = await receive()
            length = len(message.get("body", b""))
            self._check_room(length, mine)
            mine += length
            self._held += length
            return message

        try:
            if _may_be_large(scope):
                await self._turnstile.passing(number)
            await self.app(scope, receive_if_room, send)
        finally:
            self._held -= mine

    def _check_room(self, length: int, mine: int) -> None:
        """Raises TooBusy for a part, of a body that is large with it, which there is no room for."""
        held = self._held + length
        if length and mine + length > SMALL_BYTES and held > HELD_BYTES:
            raise TooBusy(
                "As many bytes as are held at once are held.",
                limit=HELD_BYTES,
                actual=held,
                retry_after=RETRY_AFTER_SECONDS,
            )


def _may_be_large(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    headers = Headers(scope=scope)
    declared = declared_bytes(headers)
    return "transfer-encoding" in headers if declared is None else declared > SMALL_BYTES
