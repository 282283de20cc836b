"""`python -m infra.queue COMMAND`: 0 when done, 1 and one line when not, 2 for a wrong command line."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from infra.operators import Refused, program, run
from infra.queue.log import DeadRecord, open_log
from infra.queue.replay import matching, replay
from infra.queue.topics import make_topics
from shared.config import DatabaseSettings, KafkaSettings
from shared.db.kafka import KafkaProducer
from shared.db.session import Database
from shared.errors import ConfigurationError
from shared.messages.topics import REQUESTED, RETRY, WORKER_GROUP
from shared.on_startup.database import create_engine
from shared.on_startup.kafka import create_producer
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work

app = program("The queue, for operators. KAFKA_BOOTSTRAP_SERVERS says where it is.")
dead = program("Records that were given up.")
app.add_typer(dead, name="dead")

Name = Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", show_default=False)]


@app.command()
def topics(
    partitions: Annotated[int, typer.Option(min=1, help="Of each: as many workers may share the work.")] = 8,
    replicas: Annotated[int, typer.Option(min=1, help="Of each partition.")] = 1,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to wait for a broker.")] = 60,
) -> None:
    """Make the topics that are missing."""
    made = asyncio.run(make_topics(_settings(), partitions, replicas, patience))
    print(f"made {', '.join(made)}" if made else "all topics are there")


@app.command()
def lag() -> None:
    """Show how many records wait: topic, partition, where the workers are, where it ends, and how many."""

    async def do() -> None:
        async with open_log(_settings(), WORKER_GROUP) as log:
            found = await log.lag((REQUESTED, RETRY))
        for each in found:
            print(each.topic, each.partition, each.committed, each.end, each.records)
        print("in all", sum(each.records for each in found))

    asyncio.run(do())


@dead.command("list")
def list_dead() -> None:
    """List the dead: name, time, reason, attempts, job and where each was."""

    async def do() -> None:
        async with open_log(_settings()) as log:
            async for record in log.dead():
                print(_line(record))

    asyncio.run(do())


@dead.command()
def show(name: Name) -> None:
    """Show one of the dead, but for the bytes of its picture."""

    async def do() -> None:
        async with open_log(_settings()) as log:
            record = await log.one_dead(name)
        print(_line(record))
        if record.message is not None:
            print(record.message.detail)
            print(f"{record.message.length} bytes, key {record.message.key!r}")
        for header, value in record.place.headers:
            print(f"{header}: {value.decode(errors='replace')}")

    asyncio.run(do())


@dead.command("replay")
def replay_dead(
    name: Annotated[str, typer.Argument(metavar="[PARTITION:OFFSET]", show_default=False)] = "",
    reason: Annotated[str, typer.Option(help="All that were given up for this reason instead.")] = "",
) -> None:
    """Send the dead again, one or all of a reason; what is sent stays listed. DATABASE_URL is needed too."""
    if bool(name) == bool(reason):
        raise typer.BadParameter("give a name, or --reason")

    async def do() -> None:
        async with open_log(_settings()) as log:
            if name:
                wanted = [await log.one_dead(name)]
            else:
                wanted = matching([each async for each in log.dead()], reason)
        engine = create_engine(DatabaseSettings.from_environment())
        producer = create_producer(_settings())
        try:
            await _replay(wanted, producer, await unit_of_work(Database(engine)), is_one=bool(name))
        finally:
            await producer.close()
            await engine.dispose()

    asyncio.run(do())


async def _replay(
    wanted: list[DeadRecord], producer: KafkaProducer, begin: UnitOfWork, *, is_one: bool
) -> None:
    sent = 0
    for record in wanted:
        try:
            print(f"{record.name} sent again, job {await replay(record, producer, begin)}")
            sent += 1
        except Refused as refusal:
            if is_one:
                raise
            print(f"left: {refusal}")
    if not is_one:
        print(f"{sent} of {len(wanted)} sent again")


def _line(record: DeadRecord) -> str:
    message = record.message
    if message is None:
        return f"{record.name} - unreadable"
    at = datetime.fromtimestamp(message.at / 1000, UTC).isoformat(timespec="seconds")
    origin = f"{message.origin.topic}-{message.origin.partition}@{message.origin.offset}"
    return f"{record.name} {at} {message.code} {message.attempt} {message.job or '-'} {origin}"


def _settings() -> KafkaSettings:
    settings = KafkaSettings.from_environment()
    if settings.kafka_bootstrap_servers is None:
        raise ConfigurationError("KAFKA_BOOTSTRAP_SERVERS: is not set")
    return settings


def main() -> None:
    run(app, "queue")


if __name__ == "__main__":
    main()
