"""What the front door adds to a request: a function behind it, beside the same function over uvicorn."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from threading import Event, Thread
from uuid import uuid4

from infra.bench.pictures import mosaic
from infra.bench.row import Row
from infra.gateway.functions import read_functions
from infra.gateway.routes import Route, read_routes
from infra.gateway.runtime import RuntimeOptions, open_front_door
from infra.local.keys import local_keys
from infra.local.ports import HOST, free_port, listen
from infra.local.server import Server
from shared.config import SigningSettings
from shared.security.access_tokens import AccessTokenIssuer, Identity
from shared.security.keys import signing_key

ROUNDS = 300
PICTURE_ROUNDS = 30


def measure() -> Iterator[Row]:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        os.environ |= local_keys(folder / "keys.json") | {"LOG_LEVEL": "WARNING"}
        doors = [opened.enter_context(_front_door()), opened.enter_context(_uvicorn())]
        health = [_request(door, "GET", "/health") for door in doors]
        ours, against = _in_turn(health, ROUNDS)
        yield Row("GET /health, median", ours, against, "ms")
        picture = _picture_of(3_000_000)
        headers = {"Authorization": f"Bearer {_access_token()}", "Content-Type": "image/jpeg"}
        resize = [_request(door, "POST", "/file/resize?width=800", picture, headers) for door in doors]
        ours, against = _in_turn(resize, PICTURE_ROUNDS)
        yield Row(f"JPEG of {len(picture) / 1e6:.1f} MB to 800 px, median", ours, against, "ms")


@contextmanager
def _front_door() -> Iterator[HTTPConnection]:
    """Serve `resize` in the `runtime` way, in a thread."""
    ready, stop = Event(), Event()
    port = free_port(0)

    async def serve() -> None:
        functions = [function for function in read_functions() if function.name == "resize"]
        routes = [route for route in read_routes() if route.function == "resize"]
        routes.append(Route("resize", "GET", "/health"))
        async with open_front_door(RuntimeOptions(processes=1, reload=False), functions, routes) as app:
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
        yield HTTPConnection(HOST, port)
    finally:
        stop.set()
        thread.join()


@contextmanager
def _uvicorn() -> Iterator[HTTPConnection]:
    """Serve `resize` as the container's `http` does."""
    port = free_port(0)
    command = ["-m", "uvicorn", "functions.resize.handler:app", "--port", str(port), "--no-access-log"]
    process = subprocess.Popen([sys.executable, *command, "--log-level", "warning"])
    connection = HTTPConnection(HOST, port)
    while process.poll() is None:
        try:
            connection.connect()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    try:
        yield connection
    finally:
        process.terminate()
        process.wait()


def _request(
    connection: HTTPConnection,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> Callable[[], None]:
    def send() -> None:
        connection.request(method, path, body or None, headers or {})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status

    return send


def _in_turn(requests: list[Callable[[], None]], rounds: int) -> list[float]:
    """Return the median milliseconds of each, sent A B A B: a machine's speed drifts."""
    times: list[list[float]] = [[] for _ in requests]
    for _ in range(rounds + 1):
        for request, measured in zip(requests, times, strict=True):
            started = time.perf_counter()
            request()
            measured.append((time.perf_counter() - started) * 1000)
    # The first of each is cold.
    return [median(measured[1:]) for measured in times]


def _picture_of(least_bytes: int) -> bytes:
    side = 1000
    while len(picture := mosaic((side, side))) < least_bytes:
        side += 200
    return picture


def _access_token() -> str:
    settings = SigningSettings.from_environment()
    issuer = AccessTokenIssuer(signing_key(settings), settings.jwt_issuer, settings.jwt_audience)
    return issuer.issue(Identity(uuid4(), uuid4()))
