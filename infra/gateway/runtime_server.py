"""Serves the Runtime API on as many ports as there are environments, in the event loop of the front door."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from infra.gateway.peers import is_ours
from infra.gateway.runtime_api import RuntimeApi

KEEP_ALIVE_SECONDS = 24 * 3600
"""An environment keeps its connection for as long as it works on an event, and longer."""
CLOSE_SECONDS = 2.0
LOOPBACK = "127."

logger = logging.getLogger("passepartout.gateway")


class RuntimeServer:
    def __init__(self, api: RuntimeApi) -> None:
        self.api = api

        class Protocol(HttpToolsProtocol):
            """Tells the API of a closed connection: an environment that holds an event may have died."""

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if _is_of_another_user(transport):
                    transport.abort()

            def connection_lost(self, exc: Exception | None) -> None:
                super().connection_lost(exc)
                api.callers.lost(self.server, self.client)  # type: ignore[arg-type]

        self._config = uvicorn.Config(
            api,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._config.load()
        self._state = ServerState()

    async def listen(self, host: str, port: int = 0) -> asyncio.Server:
        """Serve on one more port; 0 takes any that is free."""
        # asyncio sets TCP_NODELAY only on a socket that names its protocol; without, an answer takes 40 ms.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        return await asyncio.get_running_loop().create_server(self._protocol, sock=listener)

    async def close(self) -> None:
        """Close every connection, and let who waited on it notice."""
        for connection in list(self._state.connections):
            connection.transport.close()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=CLOSE_SECONDS)

    def _protocol(self) -> asyncio.Protocol:
        make: Any = self._config.http_protocol_class
        protocol: asyncio.Protocol = make(config=self._config, server_state=self._state, app_state={})
        return protocol


def _is_of_another_user(transport: asyncio.Transport) -> bool:
    """On a machine that others use too, an event and its secrets are for none of them."""
    client, server = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
    if not client[0].startswith(LOOPBACK) or is_ours(client, server):
        return False
    logger.warning("a process of another user asked for events, and was turned away")
    return True
