"""The bodies that a process holds, bounded in all: many, each within its limit, would fill its memory."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import TooBusy

HELD_BYTES = 256 * 1024 * 1024
"""Some eighty photographs of a telephone. Behind a front door each is held there as base64 besides."""
SMALL_BYTES = 64 * 1024
"""What any body may have: no JSON is refused because of pictures."""
RETRY_AFTER_SECONDS = 1


class BodiesMiddleware:
    """Refuses, as TooBusy, the part of a body for which there is no room; it is raised where that is read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mine = 0

        async def receive_if_room() -> Message:
            nonlocal mine
            message = await receive()
            length = len(message.get("body", b""))
            mine += length
            self._held += length
            if self._held > HELD_BYTES and mine > SMALL_BYTES:
                raise TooBusy(
                    "As many bytes as are held at once are held.",
                    limit=HELD_BYTES,
                    actual=self._held,
                    retry_after=RETRY_AFTER_SECONDS,
                )
            return message

        try:
            await self.app(scope, receive_if_room, send)
        finally:
            self._held -= mine
