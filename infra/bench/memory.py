"""Whether `resize` keeps what it was given: its resident memory between mixed requests over HTTP."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import httpx
import psutil

from infra.bench import servers
from infra.bench.engines.loop import peak_bytes
from infra.bench.mix import Sent, mixed
from infra.bench.table import Table
from infra.local.keys import local_keys
from infra.local.ports import HOST
from shared.on_startup.memory import INTERVAL_SECONDS

REQUESTS, STEP = 5_000, 500
AT_ONCE = 4
AT_MOST = 1.10
"""Of the memory after the first STEP, after the last."""
SECONDS = 120


def measure() -> Iterator[Table]:
    table = Table(
        f"Memory: of resize as a server, between {REQUESTS:,} mixed requests",
        ("after", "resident MB", "of the first", "when busy", "most MB ever"),
    )
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        os.environ |= local_keys(folder / "keys.json") | {"LOG_LEVEL": "WARNING"}
        port, process = opened.enter_context(servers.over_uvicorn())
        sent = mixed(REQUESTS, servers.access_token())
        statuses: Counter[int] = Counter()
        resident: list[float] = []
        for number in range(STEP, REQUESTS + 1, STEP):
            statuses += asyncio.run(_send(port, islice(sent, STEP)))
            busy = _resident(process)
            # Until what is kept for more pictures has been given back.
            time.sleep(INTERVAL_SECONDS + 1)
            resident.append(_resident(process))
            megabytes = (f"{each:.0f}" for each in (busy, peak_bytes(process) / 1e6))
            table.rows.append(
                [f"{number:,}", f"{resident[-1]:.0f}", f"{resident[-1] / resident[0]:.2f}", *megabytes]
            )
    table.notes.append(_note(statuses, resident))
    yield table


async def _send(port: int, requests: Iterator[Sent]) -> Counter[int]:
    """Send all of them, AT_ONCE; return how many were answered by each status."""
    statuses: Counter[int] = Counter()
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=SECONDS) as client:

        async def caller() -> None:
            for sent in requests:
                path = f"/file/resize?{sent.query}"
                answer = await client.post(path, content=sent.body, headers=dict(sent.headers))
                statuses[answer.status_code] += 1

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return statuses


def _resident(process: int) -> float:
    return float(psutil.Process(process).memory_info().rss / 1e6)


def _note(statuses: Counter[int], resident: list[float]) -> str:
    answers = ", ".join(f"{count:,} of {status}" for status, count in sorted(statuses.items()))
    verdict = "met" if resident[-1] <= AT_MOST * resident[0] else "missed"
    return f"Answers: {answers}. At most {AT_MOST} of the memory after the first {STEP}: {verdict}."
