"""Headers that came in several lines, as one: what a request means must not depend on who reads it."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

Lines = list[tuple[bytes, bytes]]

COOKIE = b"cookie"


class HeaderLinesMiddleware:
    """Gives the app each header in one line, as API Gateway does of what a client has sent in several.

    Of two equal Content-Types, an ASGI server's app would take the first, and Lambda's neither.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = in_one_line(scope["headers"])
        await self.app(scope, receive, send)


def in_one_line(headers: Lines) -> Lines:
    """Return the headers with one line a name (RFC 9110, 5.3; of cookies RFC 6265, 5.4)."""
    joined: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in joined:
            separator = b"; " if name == COOKIE else b","
            value = joined[name] + separator + value
        joined[name] = value
    return list(joined.items())
