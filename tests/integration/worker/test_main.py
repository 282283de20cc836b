"""`python -m functions.worker`, from its start to its end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from infra.local.kafka import kafka
from shared.config import KafkaSettings
from shared.messages.resize_requested import InlineSource
from shared.on_startup.kafka import create_producer
from tests.integration.worker.conftest import Submit

COMMAND = [sys.executable, "-m", "functions.worker"]


def test_without_a_broker_configured_it_says_so_in_one_line(
    environment: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "")
    ran = subprocess.run(COMMAND, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (1, "configuration: KAFKA_BOOTSTRAP_SERVERS: is not set\n")


@pytest.mark.usefixtures("environment")
async def test_it_does_its_jobs_and_ends_when_it_is_told_to(submit: Submit, photograph: bytes) -> None:
    with kafka() as broker:
        settings = {"KAFKA_BOOTSTRAP_SERVERS": broker()}
        producer = create_producer(KafkaSettings.from_environment(settings))
        job = await submit(InlineSource(bytes=photograph))
        assert job.record.key is not None and job.record.value is not None
        await producer.publish(job.record.topic, job.record.key, job.record.value)
        await producer.close()
        worker = subprocess.Popen(COMMAND, env=os.environ | settings)
        try:
            async with asyncio.timeout(30):
                while (await job.state()).status != "done":
                    await asyncio.sleep(0.1)
            worker.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(worker.wait, 30) == 0
        finally:
            worker.kill()
