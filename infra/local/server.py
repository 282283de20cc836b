"""uvicorn inside a program that has more to do than serve."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

DRAIN_SECONDS = 5


class _Protocol(H11Protocol):
    """Of the two parsers the one that bounds a request's line and headers (64 KB)."""

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: to ignore an Upgrade is one of the answers to it (RFC 9110, 7.8)."""


KEEP_ALIVE_SECONDS = 75
"""Longer than the Retry-After of a burst, and than a load balancer keeps a connection, 60 s: of one that is
closed first on this side, what is sent at that moment is lost, and few clients send a POST again."""


class Server(uvicorn.Server):
    """Leaves the signals to the program, and says when it has started."""

    def __init__(self, app: ASGIApp, drain_seconds: int = DRAIN_SECONDS) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                access_log=False,
                # X-Forwarded-For is the client's to fill: nothing stands in front that would.
                proxy_headers=False,
                log_config=None,
                lifespan="off",
                timeout_graceful_shutdown=drain_seconds,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
            )
        )
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def served_in_thread(app: ASGIApp, listener: socket.socket) -> Iterator[None]:
    """Serve an app beside the program's own work, until the end of the block."""
    server = Server(app)
    thread = Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
