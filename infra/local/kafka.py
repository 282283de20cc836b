"""Kafka for this machine: librdkafka's mock cluster, one broker in memory. `python -m infra.local.kafka`.

It serves the wire protocol, but drops the oldest records of a partition beyond some 5 MB without a word, and
lets one consumer into a group: enough for one worker and pictures that travel by reference.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from infra.local.errors import LocalError
from infra.local.programs import kept_running
from shared.messages.topics import TOPICS

START_SECONDS = 10
STOP_SECONDS = 30
"""What a worker has in hand is a picture or two."""
ROOT = Path(__file__).parents[2]
UNSET = dict.fromkeys(
    ("METRICS_PORT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "KAFKA_SECURITY_PROTOCOL"), ""
)
"""Of the caller's environment: they are for other services than ours."""


@contextmanager
def kafka() -> Iterator[Callable[[], str]]:
    """Start the broker; give what waits for its `host:port`, and raises LocalError when it does not start."""
    # In a session of its own: Ctrl-C is for us, who stop it when nothing needs it any more.
    program = subprocess.Popen(
        [sys.executable, "-m", "infra.local.kafka"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    try:
        yield partial(_address, program)
    finally:
        # It ends with its standard input, and so with us, however we end.
        program.communicate()


def _address(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    if select.select([program.stdout], [], [], START_SECONDS)[0] and (
        line := program.stdout.readline().strip()
    ):
        return line
    program.kill()
    raise LocalError("Kafka's mock cluster does not start")


def worker() -> AbstractContextManager[None]:
    """Keep a worker running; at the end of the block it ends with what it has in hand."""
    command = [sys.executable, "-m", "functions.worker"]
    return kept_running(command, output=None, stop_seconds=STOP_SECONDS, env=os.environ | UNSET, cwd=ROOT)


def _serve() -> None:
    from confluent_kafka import Producer

    producer = Producer(
        {
            "test.mock.num.brokers": 1,
            "bootstrap.servers": "made-by-the-mock:1",
        }
    )
    [broker] = producer.list_topics(timeout=START_SECONDS).brokers.values()
    for topic in TOPICS:
        # Asked about, a topic is made.
        producer.list_topics(topic, timeout=START_SECONDS)
    print(f"{broker.host}:{broker.port}", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        producer.poll(0.2)


if __name__ == "__main__":
    _serve()
