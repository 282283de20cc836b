"""What is dead, why, and how it comes back: on the real broker, by the operators' own program."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import httpx
import msgpack
import pytest

from infra.gateway.asgi import load_app
from shared.config import KafkaSettings
from shared.messages.envelope import headers_of
from shared.messages.topics import REQUESTED
from shared.object_keys import upload_key
from shared.on_startup.kafka import create_producer
from tests.accounts import sign_in, user_id
from tests.fakes.kafka import TestKafkaProducer
from tests.integration.queueing import Queueing
from tests.kafka.broker import Broker
from tests.kafka.jobs import dead
from tests.kafka.workers import Workers

LATER = msgpack.packb({"v": 2, "type": REQUESTED})


@dataclass
class Ran:
    status: int
    lines: list[str]
    error: str


@pytest.fixture
async def queueing(client: httpx.AsyncClient) -> Queueing:
    return Queueing(client, await sign_in(client), TestKafkaProducer())


@pytest.fixture
async def working(workers: Workers) -> AsyncIterator[None]:
    workers.start()
    yield
    assert workers.end() == 0


async def run(*arguments: str) -> Ran:
    def do() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "infra.queue", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=os.environ, timeout=60)

    ran = await asyncio.to_thread(do)
    return Ran(ran.returncode, ran.stdout.splitlines(), ran.stderr.strip())


async def finished(queueing: Queueing, location: str) -> dict[str, object]:
    async with asyncio.timeout(60):
        while True:
            job: dict[str, object] = (await queueing.get(f"{location}?wait=20")).json()
            if job["status"] in ("done", "failed"):
                return job


@pytest.mark.usefixtures("working")
async def test_poison_stops_nobody_and_what_was_mended_is_replayed(
    queueing: Queueing, broker: Broker, photograph: bytes
) -> None:
    before = len(await dead(broker.address))
    producer = create_producer(KafkaSettings.from_environment({"KAFKA_BOOTSTRAP_SERVERS": broker.address}))
    good = [await queueing.post("width=50", photograph)]
    for value in (b"no message", LATER):
        await producer.publish(REQUESTED, None, value, headers_of(1))
    broken = await queueing.post("width=50", b"\xff\xd8\xff no picture")
    source = await queueing.upload(photograph)
    missing = await queueing.post_json("", {"source": source, "outputs": [{"width": 60}, {"width": 70}]})
    good.append(await queueing.post("width=51", photograph))
    await producer.close()
    for each in good:
        assert (await finished(queueing, each.headers["location"]))["status"] == "done"
    assert (await finished(queueing, broken.headers["location"]))["status"] == "failed"
    assert (await finished(queueing, missing.headers["location"]))["status"] == "done"
    async with asyncio.timeout(20):
        while len(await dead(broker.address)) < before + 3:
            await asyncio.sleep(0.2)
    listed = (await run("dead", "list")).lines[-before - 3 :]
    reasons = sorted(line.split()[2] for line in listed)
    assert reasons[-3:] == ["message_invalid", "message_invalid", "source_unreadable"]


async def test_missing_object_is_put_back_and_its_job_replayed(
    queueing: Queueing, broker: Broker, workers: Workers, photograph: bytes
) -> None:
    storage = load_app("jobs").state.object_storage
    source = await queueing.upload(photograph)
    location = (await queueing.post_json("width=40", {"source": source}, Prefer="respond-async")).headers[
        "location"
    ]
    job = location.rpartition("/")[2]
    lag = await run("lag")
    assert (lag.status, lag.lines[-1].split()[:2]) == (0, ["in", "all"])
    assert int(lag.lines[-1].split()[2]) >= 1
    key = upload_key(UUID(user_id(queueing.user.access_token)), UUID(source))
    await asyncio.to_thread(storage._connected().calling.delete_object, Bucket=storage.bucket, Key=key)
    workers.start()
    failed = await finished(queueing, location)
    assert failed["status"] == "failed" and "source_not_found" in str(failed["problem"])
    [line] = [each for each in (await run("dead", "list")).lines if job in each]
    name = line.split()[0]
    shown = await run("dead", "show", name)
    assert shown.status == 0 and "reason: source_not_found" in shown.lines
    await storage.put(key, photograph, "image/jpeg")
    replayed = await run("dead", "replay", name)
    assert (replayed.status, replayed.lines) == (0, [f"{name} sent again, job {job}"])
    assert (await finished(queueing, location))["status"] == "done"
    again = await run("dead", "replay", name)
    assert (again.status, again.lines) == (1, [])
    assert again.error == f"queue: {name}: its job {job} is done, under way, or deleted"
    assert workers.end() == 0


async def test_poison_cannot_be_replayed_and_what_is_not_there_neither(broker: Broker) -> None:
    poison = [line for line in (await run("dead", "list")).lines if "message_invalid" in line]
    assert poison
    refused = await run("dead", "replay", poison[0].split()[0])
    assert refused.status == 1 and "no worker can read it" in refused.error
    for name in ("0:999999", "nonsense"):
        ran = await run("dead", "show", name)
        assert (ran.status, ran.lines) == (1, []) and ran.error.count("\n") == 0
    all_of_them = await run("dead", "replay", "--reason", "message_invalid")
    assert all_of_them.lines[-1] == f"0 of {len(poison)} sent again"


async def test_broker_that_is_down_is_one_line(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    ran = await run("lag")
    assert ran.status == 1 and ran.error.startswith("queue: 127.0.0.1:1: ") and "\n" not in ran.error


async def test_topics_are_there_already(broker: Broker) -> None:
    assert (await run("topics")).lines == ["all topics are there"]
