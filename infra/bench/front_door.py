"""What the front door adds to a request: a function behind it, beside the same function over uvicorn."""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from infra.bench import servers
from infra.bench.inputs import mosaic
from infra.bench.row import Row
from infra.local.keys import local_keys
from infra.local.ports import HOST

ROUNDS = 300
PICTURE_ROUNDS = 30


def measure() -> Iterator[Row]:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        os.environ |= local_keys(folder / "keys.json") | {"LOG_LEVEL": "WARNING"}
        ports = [opened.enter_context(servers.front_door()), opened.enter_context(servers.over_uvicorn())[0]]
        doors = [HTTPConnection(HOST, port) for port in ports]
        health = [_request(door, "GET", "/health") for door in doors]
        ours, against = _in_turn(health, ROUNDS)
        yield Row("GET /health, median", ours, against, "ms")
        picture = _picture_of(3_000_000)
        headers = {"Authorization": f"Bearer {servers.access_token()}", "Content-Type": "image/jpeg"}
        resize = [_request(door, "POST", "/file/resize?width=800", picture, headers) for door in doors]
        ours, against = _in_turn(resize, PICTURE_ROUNDS)
        yield Row(f"JPEG of {len(picture) / 1e6:.1f} MB to 800 px, median", ours, against, "ms")


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
    while True:
        picture = io.BytesIO()
        mosaic((side, side)).save(picture, "JPEG", quality=90)
        if picture.tell() >= least_bytes:
            return picture.getvalue()
        side += 200
