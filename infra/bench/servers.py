"""Servers that resize, ours and others', each opened for a while on a port of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

from infra.bench import peers
from infra.bench.engine import PROGRAMS
from infra.bench.inputs import FOLDER, inputs
from infra.gateway.functions import read_functions
from infra.gateway.limits import GatewayLimits, LambdaLimits
from infra.gateway.routes import Route, read_routes
from infra.gateway.runtime import RuntimeOptions, open_front_door
from infra.local.ports import HOST, free_port, listen
from infra.local.server import KEEP_ALIVE_SECONDS, Server
from shared.config import SigningSettings
from shared.security.access_tokens import AccessTokenIssuer, Identity
from shared.security.keys import signing_key

THUMBOR = """
LOADER = "thumbor.loaders.file_loader"
FILE_LOADER_ROOT_PATH = {folder!r}
STORAGE = "thumbor.storages.no_storage"
ENGINE_THREADPOOL_SIZE = {threads}
QUALITY = 80
"""
"""Its defaults, but that it reads files and has a thread a core."""


@contextmanager
def front_door(processes: int = 1) -> Iterator[int]:
    """Serve `resize` in the `runtime` way, in a thread. Yield the port."""
    ready, stop = Event(), Event()
    port = free_port(0)

    async def serve() -> None:
        functions = [function for function in read_functions() if function.name == "resize"]
        routes = [route for route in read_routes() if route.function == "resize"]
        routes.append(Route("resize", "GET", "/health"))
        # A PNG of 4 megapixels is more than Lambda takes.
        limits = GatewayLimits.of(LambdaLimits.OFF)
        options = RuntimeOptions(limits, processes, reload=False, print_=lambda _: None)
        async with open_front_door(options, functions, routes) as app:
            server = Server(app)
            serving = asyncio.create_task(server.serve([listen(port)]))
            await server.ready.wait()
            ready.set()
            await asyncio.to_thread(stop.wait)
            server.should_exit = True
            await serving

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    try:
        yield port
    finally:
        stop.set()
        thread.join()


@contextmanager
def over_uvicorn() -> Iterator[tuple[int, int]]:
    """Serve `resize` as the container's `http` does. Yield its port and its process."""
    port = free_port(0)
    command = ["-m", "uvicorn", "functions.resize.handler:app", "--port", str(port), "--no-access-log"]
    command += ["--timeout-keep-alive", str(KEEP_ALIVE_SECONDS)]
    with _serving([sys.executable, *command, "--log-level", "warning"], port) as process:
        yield port, process


@contextmanager
def thumbor() -> Iterator[tuple[int, int]]:
    """Raises peers.Missing."""
    port, settings = free_port(0), FOLDER / "thumbor.conf"
    settings.write_text(THUMBOR.format(folder=str(inputs()), threads=os.cpu_count()))
    command: list[str | Path] = [peers.python(), "-m", "thumbor.server", "--log-level", "error"]
    with _serving([*command, "--port", str(port), "--conf", settings], port) as process:
        yield port, process


@contextmanager
def sharp() -> Iterator[tuple[int, int]]:
    """Raises peers.Missing."""
    port = free_port(0)
    environment = {"SHARP": str(peers.sharp()), "PORT": str(port)}
    command: list[str | Path] = ["node", PROGRAMS / "sharp_server.mjs"]
    with _serving(command, port, environment) as process:
        yield port, process


@contextmanager
def _serving(
    command: Sequence[str | Path], port: int, environment: dict[str, str] | None = None
) -> Iterator[int]:
    process = subprocess.Popen(command, env=os.environ | (environment or {}))
    connection = HTTPConnection(HOST, port)
    while process.poll() is None:
        try:
            connection.connect()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    connection.close()
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def access_token() -> str:
    settings = SigningSettings.from_environment()
    issuer = AccessTokenIssuer(signing_key(settings), settings.jwt_issuer, settings.jwt_audience)
    return issuer.issue(Identity(uuid4(), uuid4()))
