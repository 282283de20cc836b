"""The front door for functions in containers, which ask it for their events: `python -m infra.gateway`."""

from __future__ import annotations

import asyncio
import signal
import socket
from typing import Annotated

import typer

from infra.gateway.limits import GatewayLimits, LambdaLimits
from infra.gateway.runtime import RuntimeOptions, open_front_door
from infra.local.server import Server
from shared.config import LoggingSettings
from shared.logging import configure_logging

DRAIN_SECONDS = 30
"""As long as an answer may take: what is under way comes to its end."""


def main(
    host: Annotated[str, typer.Option(help="The address that requests and functions come to.")] = "0.0.0.0",
    port: Annotated[int, typer.Option(help="The port that requests come to.")] = 8000,
    runtime_port: Annotated[
        int, typer.Option(help="The port that functions ask at, by their name: login.front-door:9001.")
    ] = 9001,
    limits: Annotated[
        LambdaLimits, typer.Option(envvar="GATEWAY_LIMITS", help="Whether Lambda's payload limit is kept.")
    ] = LambdaLimits.ON,
) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    configure_logging(LoggingSettings.from_environment())
    options = RuntimeOptions(GatewayLimits.of(limits), 0, host, runtime_port, reload=False)
    asyncio.run(_serve(options, port))


async def _serve(options: RuntimeOptions, port: int) -> None:
    async with open_front_door(options) as app:
        server = Server(app, DRAIN_SECONDS)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, setattr, server, "should_exit", True)
        # asyncio sets TCP_NODELAY only on a socket that names its protocol.
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((options.host, port))
            await server.serve([listener])


if __name__ == "__main__":
    typer.run(main)
