"""Runs the revisions in one transaction; Alembic calls this."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from shared.config import DatabaseSettings
from shared.models.base import Base
from shared.models.identity import attempt, audit_event, session, user  # noqa: F401  (fills Base.metadata)
from shared.models.identity.meta import SCHEMA
from shared.models.media import idempotency_key, job, output  # noqa: F401
from shared.on_startup.database import create_engine

LOCK = 7_270_172
"""An advisory lock, so that of several migrations started at once one runs and the others wait."""


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_schemas=True,
        version_table_schema=SCHEMA,
    )
    with context.begin_transaction():
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        context.run_migrations()


async def connect_and_migrate() -> None:
    url = context.config.attributes["database_url"]
    engine = create_engine(DatabaseSettings.from_environment({"DATABASE_URL": url}), patient=True)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


asyncio.run(connect_and_migrate())
