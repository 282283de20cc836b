"""Jobs a second of one worker beside the engine alone, how soon a job is done, and what messages weigh."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import psutil

from infra.bench.engine_alone import on_all_cores
from infra.bench.inputs import inputs
from infra.bench.table import Table
from infra.gateway.asgi import open_front_door
from infra.local.kafka import kafka, worker
from infra.local.keys import local_keys
from infra.local.object_storage import make_bucket, object_storage
from infra.local.postgres import postgres
from infra.migrations import upgrade
from infra.queue.log import open_log
from shared.config import KafkaSettings
from shared.images.options import ProcessingOptions
from shared.messages.record import Record
from shared.messages.topics import COMPLETED, REQUESTED

JOBS = 120
IDLE_JOBS = 30
PICTURES = ("jpeg-12mp.jpg", "jpeg-2mp.jpg")
WIDTH = 800
BUCKET = "bench"
CREDENTIALS = {"username": "bench", "password": "correct horse battery staple"}


def measure() -> Iterator[Table]:
    folder = inputs()
    with ExitStack() as opened:
        home = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        home.chmod(0o755)
        _serve(opened, home)
        rows = asyncio.run(_measure({name: (folder / name).read_bytes() for name in PICTURES}, opened))
    yield Table(
        "The queue: one worker against the engine alone, on all cores",
        ("what", "the queue", "the engine", "ratio"),
        rows,
        ["Kafka, S3 and PostgreSQL run on the same cores, S3 in Python; the engine has them to itself."],
    )


def _serve(opened: ExitStack, home: Path) -> None:
    storage = opened.enter_context(object_storage(0))
    url = opened.enter_context(postgres(home / "postgres"))
    upgrade(url)
    make_bucket(storage, BUCKET)
    os.environ |= local_keys(home / "keys.json") | {
        "DATABASE_URL": url,
        "S3_BUCKET": BUCKET,
        "LOCALSTACK_HOST": storage.removeprefix("http://"),
        "KAFKA_BOOTSTRAP_SERVERS": opened.enter_context(kafka())(),
        "LOG_LEVEL": "WARNING",
    }


async def _measure(pictures: dict[str, bytes], opened: ExitStack) -> list[list[str]]:
    rows = []
    async with _client() as client:
        for name, picture in pictures.items():
            # Queued before there is a worker, so that none of it is what submits.
            source = await _upload(client, picture)
            await _submit(client, source, JOBS)
            with worker():
                ours = await _rate(source, await _worker_process())
            alone = on_all_cores(picture, ProcessingOptions(width=WIDTH), JOBS)
            for what, mine, its in zip(("jobs a second", "CPU ms a job"), ours, alone):
                rows.append(
                    [f"{name} → {WIDTH} px, {what}", f"{mine:.1f}", f"{its:.1f}", f"{mine / its:.2f}"]
                )
        opened.enter_context(worker())
        small = pictures["jpeg-2mp.jpg"]
        idle = [await _idle(client, await _upload(client, small)) for _ in range(IDLE_JOBS)]
        rows.append(
            ["from 202 to done when idle, median ms", f"{statistics.median(idle) * 1000:.0f}", "", ""]
        )
    sizes = await _sizes()
    rows += [[f"bytes of a message, {topic}", f"{size:.0f}", "", ""] for topic, size in sizes.items()]
    return rows


@asynccontextmanager
async def _client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_front_door() as front_door:
        transport = httpx.ASGITransport(front_door)
        async with httpx.AsyncClient(transport=transport, base_url="http://bench", timeout=60) as client:
            (await client.post("/auth/register", json=CREDENTIALS)).raise_for_status()
            tokens = (await client.post("/auth/login", json=CREDENTIALS)).json()
            client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
            yield client


async def _upload(client: httpx.AsyncClient, picture: bytes) -> str:
    wanted = {"content_type": "image/jpeg", "content_length": len(picture)}
    ticket = (await client.post("/file/upload", json=wanted)).json()
    async with httpx.AsyncClient(timeout=60) as storage:
        (await storage.put(ticket["url"], content=picture, headers=ticket["headers"])).raise_for_status()
    source: str = ticket["source"]
    return source


async def _submit(client: httpx.AsyncClient, source: str, count: int) -> None:
    for _ in range(count):
        answer = await client.post(
            f"/file/resize?width={WIDTH}", json={"source": source}, headers={"Prefer": "respond-async"}
        )
        assert answer.status_code == 202, answer.text


async def _worker_process() -> psutil.Process:
    while True:
        for child in psutil.Process().children():
            if "functions.worker" in child.cmdline():
                return child
        await asyncio.sleep(0.05)


async def _rate(source: str, process: psutil.Process) -> tuple[float, float]:
    """Wait until all jobs of the source are done; return how many a second, and the worker's CPU ms for one.

    Counted from when some are, as starting is not work.
    """
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    of_source = "SELECT count(*) FROM media.jobs WHERE status = 'done' AND source_key LIKE '%' || $1"
    seen: list[tuple[int, float, float]] = []
    while not seen or seen[-1][0] < JOBS:
        await asyncio.sleep(0.1)
        if done := await connection.fetchval(of_source, source):
            seen.append((done, time.perf_counter(), sum(process.cpu_times()[:2])))
    await connection.close()
    done, seconds, cpu = (last - first for first, last in zip(seen[0], seen[-1]))
    return done / seconds, cpu / done * 1000


async def _idle(client: httpx.AsyncClient, source: str) -> float:
    answer = await client.post(
        f"/file/resize?width={WIDTH}", json={"source": source}, headers={"Prefer": "respond-async"}
    )
    started = time.perf_counter()
    job = answer.json()
    while job["status"] in ("queued", "running"):
        job = (await client.get(f"{answer.headers['location']}?wait=20")).json()
    assert job["status"] == "done"
    return time.perf_counter() - started


async def _sizes() -> dict[str, float]:
    """Return the mean size of a record with its headers, by topic."""
    async with open_log(KafkaSettings.from_environment()) as log:
        return {
            topic: statistics.mean([_size(each) async for each in log.records(topic)])
            for topic in (REQUESTED, COMPLETED)
        }


def _size(record: Record) -> int:
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers
