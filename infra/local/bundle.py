"""The whole bundle on this machine, with no containers: `python -m infra.local`.

Everything runs until Ctrl-C (or SIGTERM, or the end of the terminal), which stops it in the reverse order.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from pathlib import Path

from starlette.types import ASGIApp

from infra.local.curl import curl_lines
from infra.local.data import exclusive, refuse_if_held
from infra.local.errors import LocalError
from infra.local.options import GatewayOptions, port_from_environment
from infra.local.output import Output
from infra.local.ports import HOST, listen
from infra.local.server import Server
from infra.local.services import start_services
from infra.local.steps import STOP, Stopped, step
from shared.config import LoggingSettings
from shared.errors import ConfigurationError
from shared.logging import configure_logging

DATA = Path(".local")
RESULT = Path("temp.png")
OUTPUT = Output()
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Run until a signal comes; return the exit status."""
    for number in STOP_SIGNALS:
        signal.signal(number, STOP.ask)
    try:
        with ExitStack() as services:
            started = time.monotonic()
            gateway = GatewayOptions.from_environment()
            listener = services.enter_context(_listen(port_from_environment()))
            print("Passepartout starts.")
            data = services.enter_context(exclusive(DATA))
            _configure_logging()
            # Pushed last, so run first: what stops is not to be interrupted again.
            password = start_services(services, data)
            services.callback(_ignore_signals)
            asyncio.run(_serve(listener, gateway, password, started))
    except LocalError as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    except Stopped:
        pass
    _say("Passepartout has stopped.")
    return 0


def _configure_logging() -> None:
    os.environ.setdefault("LOG_FORMAT", "text")
    try:
        configure_logging(LoggingSettings.from_environment())
    except ConfigurationError as error:
        raise LocalError(f"configuration: {error}") from None


def _listen(port: int) -> socket.socket:
    try:
        return listen(port)
    except LocalError:
        # Another port would be of no use to it: it is told of the port when that is all that is in its way.
        refuse_if_held(DATA)
        raise


def _ignore_signals() -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


async def _serve(listener: socket.socket, gateway: GatewayOptions, password: str, started: float) -> None:
    """Serve until a signal comes; then let what is under way come to its end."""
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    bundle = asyncio.create_task(_bundle(listener, gateway, password, started))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({bundle, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if stopped.done():
        _say("\nStopping ...")
    stopped.cancel()
    bundle.cancel()
    with suppress(asyncio.CancelledError):
        await bundle


async def _bundle(listener: socket.socket, gateway: GatewayOptions, password: str, started: float) -> None:
    """Serve the functions behind the front door, and do the main job once; until cancelled."""
    async with AsyncExitStack() as opened:
        with step("front door") as outcome:
            server = Server(await opened.enter_async_context(_front_door(gateway)))
            serving = asyncio.create_task(server.serve([listener]))
            opened.push_async_callback(_drain, server, serving)
            await server.ready.wait()
            base_url = f"http://{HOST}:{listener.getsockname()[1]}"
            outcome.text = f"{base_url}, Swagger UI at /"
        await _show(base_url, password, started)
        await asyncio.shield(serving)


async def _drain(server: Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    await serving


@asynccontextmanager
async def _front_door(gateway: GatewayOptions) -> AsyncIterator[ASGIApp]:
    from infra.gateway import asgi, runtime
    from infra.gateway.errors import EnvironmentLost
    from infra.gateway.limits import GatewayLimits, LambdaLimits

    options = runtime.RuntimeOptions(GatewayLimits.of(LambdaLimits(gateway.limits)), print_=OUTPUT.write)
    in_process = gateway.way == "asgi"
    try:
        async with asgi.open_front_door() if in_process else runtime.open_front_door(options) as app:
            yield app
    except EnvironmentLost as error:
        raise LocalError(error.detail) from None
    except ConfigurationError as error:
        raise LocalError(f"configuration: {error}") from None


def _say(text: str) -> None:
    # The terminal may be gone: that is one reason to stop.
    with suppress(OSError):
        print(text, flush=True)


async def _show(base_url: str, password: str, started: float) -> None:
    from infra.local.main_job import main_job

    print("The main job, once:")
    with OUTPUT.muted():
        async for done in main_job(base_url, password, RESULT):
            remark = f"{done.answer.status_code}  {done.remark}"
            print(f"  {done.name:<14}{remark:<57}{done.milliseconds:>5.0f} ms", flush=True)
    print(f"The picture is {RESULT}. Ready after {time.monotonic() - started:.1f} s. To do it yourself:\n")
    metrics = os.environ["PUSHGATEWAY_URL"].removeprefix("http://")
    print(curl_lines(int(base_url.rpartition(":")[2]), metrics))
    print("Ctrl-C stops everything.", flush=True)
