"""200 pictures at once: how each is answered, and how long /health takes meanwhile."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import httpx

from infra.bench import servers
from infra.bench.inputs import inputs
from infra.bench.table import Table
from infra.local.keys import local_keys
from infra.local.ports import HOST

REQUESTS = 200
TRIES = 20
PAUSE_SECONDS = 0.02
COLUMNS = ("picture", "200 at first", "429 at first", "200 at the second try", "tries at most")
HEALTH = ("GET /health, ms: median", "99 %", "at most")


def measure() -> Iterator[Table]:
    title = f"Burst: {REQUESTS} pictures at once over HTTP, each Retry-After obeyed"
    table = Table(title, (*COLUMNS, *HEALTH))
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= local_keys(Path(folder) / "keys.json") | {"LOG_LEVEL": "ERROR"}
        for name in ("jpeg-2mp.jpg", "jpeg-12mp.jpg"):
            with servers.over_uvicorn() as (port, _):
                table.rows.append([name, *_burst(port, (inputs() / name).read_bytes())])
    yield table


def _burst(port: int, picture: bytes) -> list[str]:
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    # A process of its own: what is measured is no wait of those that ask.
    asking = spawn.Process(target=_ask, args=(port, theirs), daemon=True)
    asking.start()
    ours.recv()
    tries = asyncio.run(_all(port, picture))
    ours.send("stop")
    milliseconds = sorted(ours.recv())
    asking.join()
    counts = Counter(tries)
    late = milliseconds[int(len(milliseconds) * 0.99)]
    health = (median(milliseconds), late, milliseconds[-1])
    return [
        *map(str, (counts[1], REQUESTS - counts[1], counts[2], max(tries))),
        *(f"{each:.1f}" for each in health),
    ]


async def _all(port: int, picture: bytes) -> list[int]:
    """Return how many tries each took."""
    headers = {"Authorization": f"Bearer {servers.access_token()}"}
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=60, limits=limits) as client:

        async def resized() -> int:
            for tried in range(1, TRIES + 1):
                answer = await client.post("/file/resize?width=800", content=picture, headers=headers)
                if answer.status_code == 200:
                    return tried
                assert answer.status_code == 429, answer.text
                await asyncio.sleep(int(answer.headers["retry-after"]))
            raise AssertionError(f"429 after {TRIES} tries")

        await resized()
        return await asyncio.gather(*(resized() for _ in range(REQUESTS)))


def _ask(port: int, told: Connection) -> None:
    """Ask for /health until told to stop, and tell how many milliseconds each answer took."""
    connection = HTTPConnection(HOST, port)
    milliseconds: list[float] = []
    told.send("ready")
    while not told.poll(PAUSE_SECONDS):
        started = time.perf_counter()
        connection.request("GET", "/health")
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        milliseconds.append((time.perf_counter() - started) * 1000)
    told.recv()
    told.send(milliseconds)
