"""Finds out that a pooled connection is dead before a query does."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

TRUSTED_SECONDS = 1.0
"""For which a connection is taken to live on: a ping is three round trips, as many as a transaction."""
RETURNED_AT = "passepartout.returned_at"


def verify_liveness(engine: AsyncEngine) -> None:
    """Look at each connection when it is taken from the pool, and replace the pool when it is dead.

    One that the server has closed is known without a word. One that has lain idle is asked: where a process
    was frozen, or a gateway has dropped the connection, nothing has been heard of its end. The wall clock
    tells, the only one that goes on while a process is frozen.
    """
    dialect = engine.sync_engine.dialect

    @event.listens_for(engine.sync_engine, "checkout")
    def verify(
        connection: DBAPIConnection, entry: ConnectionPoolEntry, proxied: PoolProxiedConnection
    ) -> None:
        if is_closed(entry):
            raise InvalidatePoolError
        returned_at = entry.info.get(RETURNED_AT)
        if returned_at is None or 0 <= time.time() - returned_at < TRUSTED_SECONDS:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    @event.listens_for(engine.sync_engine, "checkin")
    def note(connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info[RETURNED_AT] = time.time()


def is_closed(entry: ConnectionPoolEntry) -> bool:
    driver: Any = entry.driver_connection
    return bool(driver.is_closed())
