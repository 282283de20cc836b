from __future__ import annotations

import asyncio
import inspect

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from shared.config import KafkaSettings
from shared.db import kafka
from shared.db.kafka import KafkaProducer
from shared.errors import QueueUnavailable
from shared.on_startup.kafka import connection_options, create_producer
from tests.fakes.kafka import TestKafkaProducer

SOON = 0.05


@pytest.fixture
def client() -> TestKafkaProducer:
    return TestKafkaProducer()


@pytest.mark.parametrize("name", ["start", "stop", "partitions_for", "send_and_wait"])
def test_fake_is_called_as_the_real_one_is(name: str) -> None:
    real, fake = (inspect.signature(getattr(each, name)) for each in (AIOKafkaProducer, TestKafkaProducer))
    assert [(each.name, each.kind, each.default) for each in fake.parameters.values()] == [
        (each.name, each.kind, each.default) for each in real.parameters.values()
    ]
    assert inspect.iscoroutinefunction(getattr(TestKafkaProducer, name))
    assert inspect.iscoroutinefunction(getattr(AIOKafkaProducer, name))


async def test_record_is_sent_whole(client: TestKafkaProducer) -> None:
    await client.producer().publish("topic", b"key", b"value", (("attempt", b"1"),))
    [record] = client.records
    assert (record.topic, record.key, record.value, record.headers) == (
        *("topic", b"key", b"value", (("attempt", b"1"),)),
    )


async def test_client_is_made_at_the_first_record_and_stopped_at_the_end(client: TestKafkaProducer) -> None:
    producer = client.producer()
    assert client.started == 0
    await asyncio.gather(*(producer.publish("topic", None, b"value") for _ in range(5)))
    assert (client.started, client.stopped, len(client.records)) == (1, 0, 5)
    await producer.close()
    assert client.stopped == 1


async def test_nothing_is_made_or_stopped_where_nothing_was_sent(client: TestKafkaProducer) -> None:
    await client.producer().close()
    assert (client.started, client.stopped) == (0, 0)


async def test_without_a_broker_configured_the_caller_is_told(client: TestKafkaProducer) -> None:
    producer = create_producer(KafkaSettings.from_environment({}))
    assert not producer.is_configured
    with pytest.raises(QueueUnavailable, match="KAFKA_BOOTSTRAP_SERVERS is not set"):
        await producer.publish("topic", None, b"value")


async def test_failed_client_is_dropped_and_a_new_one_made(client: TestKafkaProducer) -> None:
    producer = client.producer()
    client.error = KafkaConnectionError("down")
    for _ in range(2):
        with pytest.raises(QueueUnavailable) as refusal:
            await producer.publish("topic", None, b"value")
        assert refusal.value.retry_after == 5
    client.error = None
    await producer.publish("topic", None, b"value")
    assert (client.started, len(client.records)) == (3, 1)
    await producer.close()
    assert client.stopped == 3


async def test_client_that_fails_several_at_once_is_dropped_once(client: TestKafkaProducer) -> None:
    producer = client.producer()
    await producer.publish("topic", None, b"value")
    client.error = KafkaConnectionError("down")
    sent = [producer.publish("topic", None, b"value") for _ in range(3)]
    outcomes = await asyncio.gather(*sent, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [QueueUnavailable] * 3
    await producer.close()
    assert client.stopped == 1


async def test_client_that_hangs_is_given_up(
    client: TestKafkaProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "PUBLISH_SECONDS", SOON)
    monkeypatch.setattr(kafka, "STOP_SECONDS", SOON)
    producer = client.producer()
    client.is_hanging = True
    with pytest.raises(QueueUnavailable):
        await producer.publish("topic", None, b"value")
    await producer.close()
    assert client.stopped == 1


async def test_broker_that_is_down_is_told() -> None:
    settings = KafkaSettings.from_environment({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    producer = create_producer(settings)
    with pytest.raises(QueueUnavailable):
        await producer.publish("topic", None, b"value")
    await producer.close()


def test_caller_is_told_within_five_seconds() -> None:
    assert kafka.PUBLISH_SECONDS < 5


def test_credentials_are_passed_on() -> None:
    options = connection_options(
        KafkaSettings.from_environment(
            {
                "KAFKA_BOOTSTRAP_SERVERS": "b-1:9096,b-2:9096",
                "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
                "KAFKA_SASL_USERNAME": "ada",
                "KAFKA_SASL_PASSWORD": "hunter2",
            }
        )
    )
    assert options.pop("ssl_context").check_hostname
    assert options == {
        "bootstrap_servers": "b-1:9096,b-2:9096",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "ada",
        "sasl_plain_password": "hunter2",
    }


async def test_client_of_the_settings_demands_every_replica_s_acknowledgement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[dict[str, object]] = []

    def make(**options: object) -> TestKafkaProducer:
        made.append(options)
        return TestKafkaProducer()

    monkeypatch.setattr("aiokafka.AIOKafkaProducer", make)
    producer = create_producer(KafkaSettings.from_environment({"KAFKA_BOOTSTRAP_SERVERS": "localhost:9092"}))
    await producer.publish("topic", None, b"value")
    await producer.close()
    [options] = made
    assert (options["acks"], options["enable_idempotence"]) == ("all", True)
    assert isinstance(producer, KafkaProducer)
